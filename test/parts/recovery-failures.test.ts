/** The six known recovery failures of Socket.IO, done to Dropcast: real gateways, a real Redis, the SDK, a line that is cut. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Owns, owning } from "../bench/bench.ts";
import { startDropcast } from "../bench/messaging-systems.ts";
import { FAILURES, type MessagingSystem, suffer } from "../bench/recovery.ts";

let shared: MessagingSystem;
let doomed: MessagingSystem;
const over = Promise.withResolvers<void>();
let ended: Promise<void>;

beforeAll(async () => {
  const started = Promise.withResolvers<void>();
  ended = owning(async (owns: Owns) => {
    shared = await startDropcast(owns);
    doomed = await startDropcast(owns);
    started.resolve();
    await over.promise;
  });
  ended.catch(started.reject);
  await started.promise;
}, 60_000);
afterAll(async () => {
  over.resolve();
  await ended;
});

const passes = async (name: string): Promise<void> => {
  const failure = FAILURES.find((f) => f.name === name);
  if (failure === undefined) throw new Error(`no failure called ${name}`);
  const outcome = await suffer(name === "server death" ? doomed : shared, failure);
  expect(outcome.sent).toBeGreaterThanOrEqual(3);
  expect(outcome).toMatchObject({ received: outcome.sent, lost: 0, duplicated: 0 });
  expect(outcome.comebacks).toBeGreaterThanOrEqual(1);
  expect(outcome.recovered).toBe(outcome.comebacks);
};

test.concurrent(
  "[RECOVER1] a client that reconnects at once, again and again, misses no event and gets none twice",
  () => passes("fast reconnect"),
  60_000,
);
test.concurrent(
  "[RECOVER2] a client whose node is killed misses no event and gets none twice",
  () => passes("server death"),
  60_000,
);
test.concurrent(
  "[RECOVER3] a client that loses its line more than 10 s after connecting misses no event",
  () => passes("disconnect later than 10 s after connecting"),
  60_000,
);
test.concurrent(
  "[RECOVER4] a second recovery without an event in between brings what was missed, and nothing again",
  () => passes("second recovery"),
  60_000,
);
test.concurrent(
  "[RECOVER5] a client that heard nothing while other rooms sent 12,000 events misses none of its own",
  () => passes("idle connection"),
  90_000,
);
test.concurrent(
  "[RECOVER6] a client that got no event before it went offline misses none",
  () => passes("no event before going offline"),
  60_000,
);

/** Likes of one room while Redis comes and goes: the gathering is real, the store adds as react.lua does. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createReacting } from "../../server/room/reacting.ts";
import type { NewReaction } from "../../server/room/writes.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** @param fates of the calls: lost before or after Redis did it, or neither; later ones pass */
function store(fates: readonly ("fine" | "lostBefore" | "lostAfter")[]) {
  const last = new Map<string, number>();
  const sum = { likes: 0, calls: 0 };
  const react = async (_: string, batch: readonly NewReaction[]): Promise<number> => {
    const fate = fates[sum.calls++] ?? "fine";
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (fate === "lostBefore") throw new Error("Connection is closed.");
    for (const { client, seq, likes } of batch) {
      if (seq <= (last.get(client) ?? 0)) continue;
      last.set(client, seq);
      sum.likes += likes;
    }
    if (fate === "lostAfter") throw new Error("Connection is closed.");
    return batch.length;
  };
  return { sum, react };
}

const reaction = (client: string, seq: number): NewReaction => ({
  viewerId: client,
  client,
  seq,
  likes: seq,
  shares: 0,
});

test("[ROOM13] likes that Redis could not take are added before any later ones, each once, and confirmed only then", async () => {
  const fate = fc.constantFrom("fine", "lostBefore", "lostAfter");
  await fc.assert(
    fc.asyncProperty(
      fc.array(fate, { maxLength: 12 }),
      fc.array(fc.nat(150), { maxLength: 20 }),
      async (fates, pauses) => {
        const { sum, react } = store(fates);
        const reacting = createReacting("show", { react });
        let confirmed = 0;
        let sent = 0;
        const told = async (answer: Promise<void>, likes: number): Promise<void> => {
          await answer;
          confirmed += likes;
          expect(sum.likes).toBeGreaterThanOrEqual(confirmed);
        };
        for (const [i, ms] of pauses.entries()) {
          for (const client of ["a", "b"]) {
            sent += i + 1;
            void told(reacting.react(reaction(client, i + 1)), i + 1);
          }
          await vi.advanceTimersByTimeAsync(ms);
        }
        await vi.advanceTimersByTimeAsync(60_000);
        expect([sum.likes, confirmed, reacting.isIdle]).toEqual([sent, sent, true]);
      },
    ),
  );
});

test("[ROOM13] when its room ends, what waits is tried once more; after the first that fails nothing later is added", async () => {
  const { sum, react } = store(["lostBefore", "lostBefore"]);
  const reacting = createReacting("show", { react });
  const first = reacting.react(reaction("a", 1));
  await vi.advanceTimersByTimeAsync(10);
  const second = reacting.react(reaction("a", 2));
  const ends = Promise.allSettled([first, second]);
  reacting.stop();
  await vi.advanceTimersByTimeAsync(1000);
  expect((await ends).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(sum).toEqual({ likes: 0, calls: 2 });
});

/** How soon a receiver that failed is told what it has missed. Chance is left out: a pause is half of what it may be, a haste is now. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { showKeys } from "../../server/redis/keys.ts";
import { type OutboxWorld, startOutboxWorld, typesOf } from "../helpers/outbox.ts";
import { until } from "../helpers/rooms.ts";

let world: OutboxWorld;
beforeAll(async () => {
  world = await startOutboxWorld();
});
afterEach(() => world.clear());
afterAll(() => world.stop());

const BOTH = ["order.held", "order.paid"];
const chance = (): number => 0;

test("[OUT12] the first delivery that succeeds after failures brings all that waits at once, in order, and does not hammer what is refused for itself", async () => {
  const to = await world.receiver();
  await world.hook(to);
  const shows = [await world.open(), await world.open()] as const;
  const refused = new Set(["ann", "bob"]);
  to.answer = ({ data }) => (refused.has(String(data["viewerId"])) ? 500 : 200);
  const tries = (viewerId: string): number =>
    to.seen.filter(({ data }) => data["viewerId"] === viewerId).length;
  // Each would be asked about again after 10 s, then after 20.
  world.outbox("control-0", { backoff: { firstMs: 20_000, longestMs: 60_000 }, chance });
  await world.buy(shows[0], "ann");
  await world.buy(shows[1], "bob");
  await until(() => tries("ann") + tries("bob") === 2);
  refused.delete("ann");
  await world.buy(shows[1], "cat");
  await until(() => typesOf(to, shows[0], "ann").length === 2, 2000);
  expect(typesOf(to, shows[0], "ann")).toEqual(BOTH);
  await until(() => tries("bob") === 2);
  for (const viewerId of ["dan", "eve", "fay"]) {
    await world.buy(shows[1], viewerId);
    await until(() => typesOf(to, shows[1], viewerId).length === 2);
  }
  expect(tries("bob")).toBe(2);
});

test("[OUT13] while a receiver is down the gate alone says when it is asked, however often its events have failed before", async () => {
  const to = await world.receiver();
  await world.hook(to);
  const show = await world.open();
  to.answer = () => 503;
  const own = { backoff: { firstMs: 20, longestMs: 60_000 }, chance };
  const first = world.outbox("control-0", own);
  const buyers = ["ann", "bob", "cat"];
  for (const viewerId of buyers) await world.buy(show, viewerId);
  await until(() => to.seen.length >= 5);
  await first.stop();
  // As after a long while: from here on each would wait for half a minute by itself.
  const key = showKeys(show).outboxParked;
  for (const [field, json] of Object.entries(await world.redis.hgetall(key)))
    await world.redis.hset(key, field, json.replace(/"attempts":\d+/, '"attempts":12'));
  const { length } = to.seen;
  world.outbox("control-0", own);
  await until(() => to.seen.length >= length + 6);
  to.answer = () => 200;
  const backAtMs = performance.now();
  await until(() => buyers.every((viewerId) => typesOf(to, show, viewerId).length === 2));
  expect(performance.now() - backAtMs).toBeLessThan(700);
  for (const viewerId of buyers) expect(typesOf(to, show, viewerId)).toEqual(BOTH);
}, 30_000);

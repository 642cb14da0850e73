/** Clocks that are wrong: of whole nodes, 5 s to either side, and of Redis itself, which then jumps in the middle of a drop. [F9] */
import { afterEach, expect, test } from "vitest";
import { readLedger } from "../helpers/books.ts";
import { clockOff, settableClock } from "../helpers/clock.ts";
import { type Fleet, startFleet } from "../helpers/fleet.ts";
import { until } from "../helpers/rooms.ts";

let fleet: Fleet | undefined;
afterEach(() => fleet?.stop());

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test("[FAULT11][F9][I9] control and one gateway 5 s ahead, another gateway 5 s behind: the drop opens and closes by Redis' clock, and holds end in order", async () => {
  const now = (fleet = await startFleet({ env: clockOff(5000) }));
  const behind = await now.gateway(clockOff(-5000));
  const show = await now.shop.show(300);
  const crowd = await now.crowd(show, 100);
  const [seconds] = await now.redis.admin.time();
  const startsAtMs = Number(seconds) * 1000 + 2500;
  const endsAtMs = startsAtMs + 4000;
  const times = { startsAtMs, endsAtMs, holdMs: 1500 };
  const dropId = await now.shop.drop(show, { allotment: 200, perBuyerLimit: 5, ...times });
  const ahead = await now.buyers(show, 10);
  const late = await Promise.all(
    Array.from({ length: 10 }, (_, i) => now.buyer(show, `late${i}`, behind.url)),
  );
  const buyers = [...ahead, ...late];
  // Clients' clocks are those of their node, which are Redis' and not its own.
  for (const { live } of buyers) expect(Math.abs(live.now() - Date.now())).toBeLessThan(1500);
  const early = await Promise.all(buyers.map((buyer) => buyer.hold(dropId, "early")));
  expect(new Set(early.map(({ result }) => result))).toEqual(new Set(["notOpen"]));
  const rush = crowd.holdAll(dropId, { atMs: startsAtMs, withinMs: 1000 });
  await until(() => buyers.every(({ live }) => live.state.drops.get(dropId)?.state === "open"));
  const held = await Promise.all(buyers.map((buyer) => buyer.hold(dropId, "in-time")));
  expect(held.filter(({ result }) => result === "held")).toHaveLength(20);
  expect(await ahead[0]?.pay("in-time")).toMatchObject({ result: "sold" });
  expect(await late[0]?.pay("in-time")).toMatchObject({ result: "sold" });
  await rush;
  await until(
    () => buyers.every(({ live }) => live.state.drops.get(dropId)?.state === "closed"),
    15_000,
  );
  const after = await Promise.all(buyers.map((buyer) => buyer.hold(dropId, "after")));
  expect(new Set(after.map(({ result }) => result))).toEqual(new Set(["closed"]));
  await until(async () => {
    const drop = await now.shop.call("GET", `/v1/shows/${show}/drops/${dropId}`);
    return drop["held"] === 0;
  }, 10_000);
  await now.check(show, { buyers, crowd, isOver: true });
}, 90_000);

test("[FAULT12][F8][F9][I5] Redis' own clock jumps 5 s ahead and 10 s back in the middle of a drop: nothing is sold after the end, holds end in order, and nothing stands still", async () => {
  const clock = settableClock();
  const now = (fleet = await startFleet({ redisEnv: clock.env }));
  const show = await now.shop.show(300);
  const crowd = await now.crowd(show, 100);
  const redisMs = async (): Promise<number> => Number((await now.redis.admin.time())[0]) * 1000;
  const endsAtMs = (await redisMs()) + 20_000;
  const terms = { allotment: 250, perBuyerLimit: 5, holdMs: 3000, endsAtMs };
  const dropId = await now.shop.drop(show, terms);
  const buyers = await now.buyers(show, 10);
  const hold = (key: string) => Promise.all(buyers.map((buyer) => buyer.hold(dropId, key)));
  const rush = crowd.holdAll(dropId, { withinMs: 3000 });
  await hold("first");
  clock.set(5000);
  // What was held before has lapsed by the new clock.
  await until(() =>
    buyers.every(({ live }) => live.state.orders.get("first")?.state === "expired"),
  );
  await hold("ahead");
  clock.set(-5000);
  await hold("behind");
  const paid = await Promise.all(buyers.slice(0, 3).map((buyer) => buyer.pay("behind")));
  expect(new Set(paid.map(({ result }) => result))).toEqual(new Set(["sold"]));
  await rush;
  // Ten seconds back: holds of before wait for their own deadlines, and everything new still works.
  await sleep(500);
  expect((await buyers[0]?.hold(dropId, "still"))?.result).toBe("held");
  clock.set(6000);
  await until(
    () => buyers.every(({ live }) => live.state.drops.get(dropId)?.state === "closed"),
    20_000,
  );
  expect(new Set((await hold("after")).map(({ result }) => result))).toEqual(new Set(["closed"]));
  // A clock that goes back again does not open what is over.
  clock.set(-5000);
  expect(new Set((await hold("over")).map(({ result }) => result))).toEqual(new Set(["closed"]));
  clock.set(60_000);
  await until(async () => {
    const drop = await now.shop.call("GET", `/v1/shows/${show}/drops/${dropId}`);
    return drop["held"] === 0;
  }, 10_000);
  const ends = (await readLedger(now.redis.admin, show)).filter(({ kind }) => kind === "expired");
  expect(ends.length).toBeGreaterThan(100);
  await now.check(show, { buyers, crowd, isOver: true });
  clock.stop();
}, 90_000);

/** The swarm against a real gateway and a real Redis: what it reports is what happened, seen from the viewers. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Swarm, startSwarm } from "../../load/swarm/swarm.ts";
import type { ServerProcess } from "../bench/server-process.ts";
import { openShow, startGatewayOn, startStore, type Store, viewerToken } from "../bench/world.ts";

const SHOW = "swarm";
const VIEWERS = 50;
const UNITS = 20;
const DROP = { sku: "tea", priceCents: 9900, allotment: UNITS, perBuyerLimit: 1, holdMs: 60_000 };

let store: Store;
let gateway: ServerProcess;
let swarm: Swarm;

beforeAll(async () => {
  store = await startStore();
  await openShow(store, SHOW);
  gateway = await startGatewayOn(store);
  const url = `ws://127.0.0.1:${gateway.port}`;
  swarm = await startSwarm({
    url,
    show: SHOW,
    viewers: VIEWERS,
    token: viewerToken(SHOW),
    processes: 2,
  });
});
afterAll(async () => {
  await swarm.close();
  await gateway.stop();
  await store.stop();
});

const untilTrue = async (check: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 200; tries++) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it did not come true within 10 s");
};

test("[SWARM1] everybody gets in, spread over the load processes", async () => {
  expect(await swarm.joined).toBe(VIEWERS);
  const histories = await swarm.histories();
  expect(new Set(histories.map((h) => h.viewerId)).size).toBe(VIEWERS);
  expect(histories.every((h) => h.joins === 1 && h.snapshots === 1 && h.closes.length === 0)).toBe(
    true,
  );
});

test("[SWARM2 I2] asked all at once at the start on the server's clock, exactly the allotment is held", async () => {
  const startsAtMs = Date.now() + 400;
  await store.inventory.allot(SHOW, {
    ...DROP,
    dropId: "rush",
    startsAtMs,
    endsAtMs: startsAtMs + 60_000,
  });
  const tally = await swarm.holdAll("rush", { atMs: startsAtMs, withinMs: 100 });
  expect(tally).toMatchObject({
    asked: VIEWERS,
    answered: VIEWERS,
    byResult: { held: UNITS, soldOut: VIEWERS - UNITS },
  });
  expect(tally.tookMs).toHaveLength(VIEWERS);
  const held = (await swarm.histories()).flatMap((h) =>
    h.holds.filter((hold) => hold.result === "held"),
  );
  expect(held).toHaveLength(UNITS);
  expect(held.every((hold) => hold.deadlineMs >= startsAtMs + DROP.holdMs)).toBe(true);
});

test("[SWARM3 I7] histories balance: no event lost, no version back, receipts add up, every like counted", async () => {
  await swarm.talk({ commentsPerSecond: 40, likesPerSecond: 200 });
  await untilTrue(
    async () => (await swarm.histories()).reduce((n, h) => n + h.comments.accepted, 0) >= 40,
  );
  await swarm.talk({ commentsPerSecond: 0, likesPerSecond: 0 });
  await untilTrue(async () =>
    (await swarm.histories()).every((h) => h.likes.applied === h.likes.sent),
  );
  const accepted = (await swarm.histories()).reduce((n, h) => n + h.comments.accepted, 0);
  await untilTrue(async () =>
    (await swarm.histories()).every((h) => h.receipts.accepted === accepted),
  );
  for (const { lost, backwards, receipts, comments } of await swarm.histories()) {
    expect({ lost, backwards }).toEqual({ lost: 0, backwards: 0 });
    expect(receipts.accepted).toBe(receipts.shown + receipts.skipped + receipts.slow);
    expect(comments.sent).toBe(comments.accepted + comments.tooFast);
  }
  const { fanoutUs, joined } = await swarm.figures();
  expect(joined).toBe(VIEWERS);
  expect(fanoutUs.buckets.length).toBeGreaterThan(0);
});

test("[SWARM4 F11] a viewer whose gateway goes away comes back on another one and has missed nothing", async () => {
  const second = await startGatewayOn(store);
  const token = viewerToken(SHOW);
  const both = await startSwarm({
    url: [`ws://127.0.0.1:${second.port}`, `ws://127.0.0.1:${gateway.port}`],
    show: SHOW,
    viewers: 4,
    token: (i) => token(1000 + i),
    processes: 0,
  });
  expect(await both.joined).toBe(4);
  await second.stop();
  await untilTrue(async () => {
    const histories = await both.histories();
    return (
      histories.filter((h) => h.joins === 2).length === 2 && (await both.figures()).joined === 4
    );
  });
  for (const { lost, backwards } of await both.histories())
    expect({ lost, backwards }).toEqual({ lost: 0, backwards: 0 });
  await both.close();
});

/** The outbox's rules when something is lost, replayed, removed, taken over or killed. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createEndpoints } from "../../server/outbox/endpoints.ts";
import { forget, replay } from "../../server/outbox/replay.ts";
import { showKeys } from "../../server/redis/keys.ts";
import { type OutboxWorld, startOutboxWorld, toldOnce, typesOf } from "../helpers/outbox.ts";
import { finalStates } from "../helpers/receiver.ts";
import { until } from "../helpers/rooms.ts";

let world: OutboxWorld;
beforeAll(async () => {
  world = await startOutboxWorld();
});
afterEach(() => world.clear());
afterAll(() => world.stop());

test("[OUT6] a part of the log that was trimmed before it was read becomes a gap and a full resync", async () => {
  const to = await world.receiver();
  await world.hook(to);
  const show = await world.open();
  const first = world.outbox();
  await world.buy(show, "ann");
  await until(() => typesOf(to, show, "ann").length === 2);
  await first.stop();
  await world.buy(show, "bob");
  await world.ask(
    show,
    { what: "hold", viewerId: "cat" },
    { what: "hold", viewerId: "dan" },
    { what: "pay", viewerId: "dan" },
  );
  await world.ask(show, { what: "cancel", viewerId: "cat" });
  await world.redis.xtrim(showKeys(show).log, "MAXLEN", 1);
  const next = world.outbox();
  await until(() => finalStates(to.taken).size === 4);
  await world.buy(show, "eve");
  await until(() => typesOf(to, show, "eve").length === 2);
  expect(to.taken.filter((e) => e.type === "gap")).toHaveLength(1);
  expect(next.figures().outboxGaps).toBe(1);
  expect(Object.fromEntries(finalStates(to.taken))).toEqual({
    "ann|k": "order.paid",
    "bob|k": "order.paid",
    "cat|k": "order.cancelled",
    "dan|k": "order.held",
    "eve|k": "order.paid",
  });
  // Ann's sale was told before: the same news has the same id, so a receiver that remembers ids books it once.
  const annPaid = to.taken.filter((e) => e.type === "order.paid" && e.data["viewerId"] === "ann");
  expect(new Set(annPaid.map((e) => e.id)).size).toBe(1);
});

test("[OUT7] events come again from an id or a time on, with the ids they had", async () => {
  const to = await world.receiver();
  const endpoint = await world.hook(to);
  const show = await world.open();
  world.outbox();
  await world.buy(show, "ann");
  await until(() => to.taken.length === 3);
  await new Promise((resolve) => setTimeout(resolve, 150));
  const sinceMs = Date.now();
  await world.buy(show, "bob");
  await until(() => to.taken.length === 5);
  const [all, fromId] = [
    to.taken.map((e) => e.id),
    to.taken.find((e) => e.type === "order.paid")?.id ?? "",
  ];
  expect(await replay(world.store, [show], endpoint, { sinceMs })).toBe(2);
  await until(() => to.taken.length === 7);
  expect(to.taken.slice(5).map((e) => e.id)).toEqual(all.slice(3));
  const again = await replay(world.store, [show], endpoint, { fromId });
  await until(() => to.taken.length === 7 + Number(again));
  expect(to.taken.slice(7).map((e) => e.id)).toContain(fromId);
  expect(
    await replay(world.store, [show], endpoint, { fromId: `${show}.${"x".repeat(24)}` }),
  ).toBeUndefined();
});

test("[OUT8] a removed webhook is told nothing more, and nothing is kept of it", async () => {
  const to = await world.receiver();
  const endpoint = await world.hook(to);
  await world.hook(await world.receiver());
  const show = await world.open();
  to.answer = () => 500;
  world.outbox();
  await world.buy(show, "ann");
  await until(async () => (await world.redis.hlen(showKeys(show).outboxParked)) > 0);
  await createEndpoints(world.redis).remove(endpoint.id);
  await forget(world.store, [show], endpoint.id);
  await new Promise((resolve) => setTimeout(resolve, 700));
  const { length } = to.seen;
  await world.buy(show, "bob");
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(to.seen.length).toBe(length);
  expect(Object.keys(await world.redis.hgetall(showKeys(show).outboxParked))).toEqual([]);
});

test("[OUT9][F7] two processes share one outbox: one delivers, the other takes over, nothing is derived twice", async () => {
  const to = await world.receiver();
  await world.hook(to);
  const show = await world.open();
  const both = [world.outbox("control-1"), world.outbox("control-2")];
  for (let i = 0; i < 20; i++) await world.buy(show, `v${i}`);
  await until(() => to.taken.length === 41);
  expect(new Set(to.taken.map((e) => e.id)).size).toBe(41);
  expect(Math.min(...both.map((one) => one.figures().webhooksDelivered ?? 0))).toBe(0);
  const [busy] = both.filter((one) => (one.figures().webhooksDelivered ?? 0) > 0);
  await busy?.stop();
  // As if its lease had run out.
  await world.redis.hset(showKeys(show).outboxAt, "untilMs", 1);
  await world.buy(show, "late");
  await until(() => typesOf(to, show, "late").length === 2);
  expect(toldOnce(to)).toHaveLength(43);
});

test("[OUT10][F7] killed at any moment, again and again: every event arrives, in its order, and none is derived twice", async () => {
  const to = await world.receiver();
  await world.hook(to);
  const show = await world.open({ allotment: 500 });
  const run = () =>
    spawn(
      process.execPath,
      [fileURLToPath(new URL("outbox-process.ts", import.meta.url)), world.shop.server.url, show],
      { stdio: "inherit" },
    );
  let bought = 0;
  for (let round = 0; round < 4; round++) {
    const child = run();
    const before = to.seen.length;
    for (let i = 0; i < 25; i++) await world.buy(show, `v${bought++}`);
    await until(() => to.seen.length > before + 3 + round * 5, 10_000);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
  }
  world.outbox();
  await until(() => toldOnce(to).length === 2 * bought + 1, 10_000);
  expect(Number(await world.redis.hget(showKeys(show).outboxAt, "events"))).toBe(2 * bought + 1);
  for (let i = 0; i < bought; i++) {
    const firsts = [
      ...new Set(to.taken.filter((e) => e.data["viewerId"] === `v${i}`).map((e) => e.type)),
    ];
    expect(firsts, "[OUT3] in order").toEqual(["order.held", "order.paid"]);
  }
});

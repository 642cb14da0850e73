/** The outbox's rules while it runs, on a real Redis with real receivers. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { standingOf } from "../../server/outbox/replay.ts";
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

test("[OUT1] a show's life arrives as signed events with stable ids, each order's in order", async () => {
  const to = await world.receiver();
  await world.hook(to);
  const show = await world.open({ allotment: 3 });
  world.outbox();
  await world.shop.shows.turn(show, "live");
  await world.buy(show, "ann");
  await world.ask(show, { what: "hold", viewerId: "bob" }, { what: "cancel", viewerId: "bob" });
  await world.ask(show, { what: "hold", viewerId: "eve", quantity: 2 });
  await world.shop.shows.turn(show, "ended");
  await until(() => to.taken.length === 9);
  expect(to.forged).toBe(0);
  expect(typesOf(to, show, "ann")).toEqual(["order.held", "order.paid"]);
  expect(typesOf(to, show, "bob")).toEqual(["order.held", "order.cancelled"]);
  expect(typesOf(to, show, "eve")).toEqual(["order.held"]);
  const others = to.taken.filter((e) => !e.type.startsWith("order.")).map((e) => e.type);
  expect(others.sort()).toEqual(["drop.opened", "drop.sold_out", "show.ended", "show.started"]);
  const paid = to.taken.find((e) => e.type === "order.paid");
  expect(paid?.data).toMatchObject({
    orderId: "D000001",
    sku: "tea",
    quantity: 1,
    amountCents: 4900,
    currency: "CNY",
    state: "sold",
  });
  expect(paid?.id.startsWith(`${show}.`)).toBe(true);
  expect(new Set(to.taken.map((e) => e.id)).size).toBe(9);
});

test("[OUT2] without a webhook nothing is derived; with types only those are sent", async () => {
  const show = await world.open();
  world.outbox();
  await world.buy(show, "ann");
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(await world.redis.exists(showKeys(show).outbox, showKeys(show).outboxAt)).toBe(0);
  const to = await world.receiver();
  await world.hook(to, ["order.paid"]);
  await until(() => to.taken.length > 0);
  await world.buy(show, "bob");
  await until(() => to.taken.length === 2);
  expect(to.taken.map((e) => [e.type, e.data["viewerId"]])).toEqual([
    ["order.paid", "ann"],
    ["order.paid", "bob"],
  ]);
});

test("[OUT3] an event that fails holds up its own order only, and keeps its place", async () => {
  const to = await world.receiver();
  await world.hook(to);
  const show = await world.open();
  let fixed = false;
  to.answer = (e) => (e.data["viewerId"] === "ann" && !fixed ? 500 : 200);
  world.outbox();
  await world.buy(show, "ann");
  for (const viewerId of ["bob", "cat", "dan", "eve"]) await world.buy(show, viewerId);
  await until(() => ["bob", "cat", "dan", "eve"].every((v) => typesOf(to, show, v).length === 2));
  await world.buy(show, "fay");
  await until(() => typesOf(to, show, "fay").length === 2);
  expect(typesOf(to, show, "ann")).toEqual([]);
  const tries = to.seen.filter((e) => e.data["viewerId"] === "ann");
  expect(new Set(tries.map((e) => e.type))).toEqual(new Set(["order.held"]));
  expect(new Set(tries.map((e) => e.id)).size).toBe(1);
  fixed = true;
  await until(() => typesOf(to, show, "ann").length === 2);
  expect(typesOf(to, show, "ann")).toEqual(["order.held", "order.paid"]);
});

test("[OUT4] a receiver that hangs is given up in time, and holds up nobody else", async () => {
  const [slow, quick] = [await world.receiver(), await world.receiver()];
  await world.hook(slow);
  await world.hook(quick);
  const show = await world.open();
  let isStuck = true;
  slow.answer = () => (isStuck ? "hang" : 200);
  world.outbox();
  await world.buy(show, "ann");
  await until(() => typesOf(quick, show, "ann").length === 2, 1000);
  isStuck = false;
  await until(() => finalStates(slow.taken).get("ann|k") === "order.paid");
});

test("[OUT5] a receiver that was down ends with the same state as one that was up, and is not hammered meanwhile", async () => {
  const [down, up] = [await world.receiver(), await world.receiver()];
  const endpoint = await world.hook(down);
  await world.hook(up);
  const show = await world.open({ holdMs: 100 });
  await down.down();
  const one = world.outbox();
  for (let i = 0; i < 40; i++) {
    if (i % 4 === 0) await world.ask(show, { what: "hold", viewerId: `v${i}` });
    else if (i % 4 === 1)
      await world.ask(
        show,
        { what: "hold", viewerId: `v${i}` },
        { what: "cancel", viewerId: `v${i}` },
      );
    else await world.buy(show, `v${i}`);
  }
  await new Promise((resolve) => setTimeout(resolve, 120));
  await world.shop.nodes[0].sweep(show);
  await until(
    () =>
      finalStates(up.taken).size === 40 &&
      ![...finalStates(up.taken).values()].includes("order.held"),
  );
  await until(() => one.figures().webhooksFailing === 1);
  const before = one.figures().webhookFailures;
  await new Promise((resolve) => setTimeout(resolve, 600));
  // Down for what would be ten minutes: one try per 75 to 150 ms here.
  expect(one.figures().webhookFailures - before).toBeLessThan(12);
  const standing = await standingOf(world.store, [show], endpoint);
  expect(standing).toMatchObject({ delivered: 0, lastError: "ECONNREFUSED" });
  expect(standing.waiting).toBe(toldOnce(up).length);
  expect(standing.failingSinceMs).toBeGreaterThan(Date.now() - 60_000);
  await down.up();
  await until(() => toldOnce(down).length === toldOnce(up).length);
  expect(finalStates(down.taken)).toEqual(finalStates(up.taken));
  for (let i = 0; i < 40; i++)
    expect(typesOf(down, show, `v${i}`)).toEqual(typesOf(up, show, `v${i}`));
  await until(async () => (await standingOf(world.store, [show], endpoint)).waiting === 0);
});

/** What a buyer and the sweep may expect of a drop, rule by rule. */
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { showKeys } from "../../server/redis/keys.ts";
import { createBatches } from "../../server/shop/batch.ts";
import type { NewDrop } from "../../server/shop/inventory.ts";
import { startSweeper } from "../../server/shop/sweeper.ts";
import { liveDrops, readLedger } from "../helpers/books.ts";
import { until } from "../helpers/rooms.ts";
import { type Shop, sleep, startShop } from "../helpers/shop.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await startShop({ fsyncAlways: false });
});
afterAll(() => shop.stop());

test("[I2] a thousand buyers over two nodes get thirty units, exactly, and nine hundred and seventy a clear no", async () => {
  const show = await shop.open({ allotment: 30 });
  const nodes = [createBatches(shop.nodes[0].decide), createBatches(shop.nodes[1].decide)] as const;
  const answers = await Promise.all(
    Array.from({ length: 1000 }, (_, i) =>
      nodes[i % 2 === 0 ? 0 : 1].ask(show, {
        what: "hold",
        viewerId: `v${i}`,
        key: `k${i}`,
        dropId: "d",
        quantity: 1,
      }),
    ),
  );
  const words = answers.map(([word]) => word);
  expect(words.filter((word) => word === "held")).toHaveLength(30);
  expect(words.filter((word) => word === "soldOut")).toHaveLength(970);
  expect(await shop.theDrop(show)).toMatchObject({
    state: "soldOut",
    available: 0,
    held: 30,
    sold: 0,
  });
  await shop.checkBooks(show);
});

test("[I3][F2] a repeated key gets its first answer: at once, on another node, and after the end of the hold", async () => {
  const show = await shop.open({ holdMs: 20 });
  const first = await shop.hold(show, "ann");
  expect(first[0]).toBe("held");
  expect(await shop.ask(show, { what: "hold", viewerId: "ann" }, shop.nodes[1])).toEqual(first);
  await sleep(30);
  await shop.nodes[0].sweep(show);
  expect(await shop.hold(show, "ann")).toEqual(first);
  await shop.nodes[0].close(show, "d");
  expect(await shop.hold(show, "ann")).toEqual(first);
  expect((await readLedger(shop.redis, show)).filter((line) => line.kind === "held")).toHaveLength(
    1,
  );
});

test("[I4][F3] one buyer with many keys on two nodes never gets more than the limit", async () => {
  const show = await shop.open({ perBuyerLimit: 3 });
  const words = await Promise.all(
    Array.from(
      { length: 20 },
      async (_, i) =>
        (
          await shop.ask(
            show,
            { what: "hold", viewerId: "ann", key: `tab${i}` },
            i % 2 === 0 ? shop.nodes[0] : shop.nodes[1],
          )
        )[0],
    ),
  );
  expect(words.filter((word) => word === "held")).toHaveLength(3);
  expect(words.filter((word) => word === "limit")).toHaveLength(17);
  await shop.ask(show, { what: "cancel", viewerId: "ann", key: `tab${words.indexOf("held")}` });
  expect((await shop.hold(show, "ann", { key: "again" }))[0]).toBe("held");
  expect(await shop.hold(show, "ann", { key: "more" })).toEqual(["limit", 3]);
  await shop.checkBooks(show);
});

test("[I9] nothing sells before the start or after the end, to the millisecond of Redis TIME", async () => {
  const startsAtMs = Date.now() + 300;
  const show = await shop.open({ startsAtMs, endsAtMs: startsAtMs + 40, allotment: 1000 });
  expect(await shop.hold(show, "early")).toEqual(["notOpen", startsAtMs]);
  const words: string[] = [];
  for (let i = 0; words.at(-1) !== "closed"; i++) words.push((await shop.hold(show, `v${i}`))[0]);
  expect(new Set(words)).toEqual(new Set(["notOpen", "held", "closed"]));
  const held = (await readLedger(shop.redis, show)).filter((line) => line.kind === "held");
  expect(Math.min(...held.map((line) => line.atMs))).toBeGreaterThanOrEqual(startsAtMs);
  expect(Math.max(...held.map((line) => line.atMs))).toBeLessThan(startsAtMs + 40);
  await shop.checkBooks(show);
});

test("[F8] the sweeper returns unpaid units within a second of their deadline, opens and closes on time", async () => {
  const startsAtMs = Date.now() + 100;
  const show = await shop.open({
    startsAtMs,
    endsAtMs: startsAtMs + 900,
    holdMs: 200,
    allotment: 50,
  });
  const sweeper = startSweeper({
    inventory: shop.nodes[0],
    shows: () => [show],
    everyMs: 50,
    log: pino({ level: "silent" }),
  });
  const openedAfterMs = await until(
    async () => (await shop.theDrop(show)).state === "open" && Date.now() - startsAtMs,
  );
  expect(openedAfterMs).toBeLessThan(1000);
  const deadlines = await Promise.all(
    Array.from({ length: 50 }, async (_, i) => Number((await shop.hold(show, `v${i}`))[1])),
  );
  const returnedAfterMs = await until(
    async () => (await shop.theDrop(show)).available === 50 && Date.now() - Math.max(...deadlines),
  );
  expect(returnedAfterMs).toBeLessThan(1000);
  const closedAfterMs = await until(
    async () => (await shop.theDrop(show)).state === "closed" && Date.now() - startsAtMs - 900,
  );
  expect(closedAfterMs).toBeLessThan(1000);
  expect(sweeper.lagMs).toBeLessThan(1000);
  expect(sweeper.changed).toBeGreaterThanOrEqual(52);
  await sweeper.stop();
  await shop.checkBooks(show);
});

test("[I1] what a closed drop did not sell goes back to the product, holds that lapse later too", async () => {
  const endsAtMs = Date.now() + 600_000;
  const show = await shop.open({ holdMs: 300, endsAtMs });
  await shop.hold(show, "ann");
  await shop.hold(show, "bob");
  await shop.ask(show, { what: "settle", viewerId: "bob" });
  await shop.nodes[0].close(show, "d");
  const stock = async (): Promise<number> =>
    (JSON.parse((await shop.redis.hget(showKeys(show).products, "tea")) ?? "") as { stock: number })
      .stock;
  expect(await stock()).toBe(998);
  expect(await shop.theDrop(show)).toMatchObject({
    state: "closed",
    available: 0,
    held: 1,
    sold: 1,
    writtenOff: 8,
  });
  await sleep(320);
  await shop.nodes[0].sweep(show);
  expect(await stock()).toBe(999);
  expect(await shop.theDrop(show)).toMatchObject({ held: 0, sold: 1, writtenOff: 9 });
  await shop.checkBooks(show, endsAtMs);
});

test("[I1] a drop is given its units once: repeats, strangers, too few units and ended shows are refused", async () => {
  const show = await shop.open({ allotment: 10 });
  const drop: NewDrop = {
    dropId: "d",
    sku: "tea",
    priceCents: 1,
    allotment: 10,
    perBuyerLimit: 1,
    holdMs: 1000,
    startsAtMs: 0,
    endsAtMs: Date.now() + 1000,
  };
  expect(await shop.nodes[0].allot(show, drop)).toEqual(["exists", 0]);
  expect(await shop.nodes[0].allot(show, { ...drop, dropId: "e", sku: "none" })).toEqual([
    "unknownProduct",
    0,
  ]);
  expect(await shop.nodes[0].allot(show, { ...drop, dropId: "e", allotment: 991 })).toEqual([
    "shortStock",
    990,
  ]);
  await shop.shows.turn(show, "live");
  await shop.shows.turn(show, "ended");
  expect(await shop.nodes[0].allot(show, { ...drop, dropId: "e" })).toEqual(["showEnded", 0]);
  expect(await liveDrops(shop.redis, show)).toHaveLength(1);
});

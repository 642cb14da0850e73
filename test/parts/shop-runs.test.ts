/** Holds that are decided together: kept as runs, read and ended one by one; and what one of them costs Redis in bytes. */
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { movementsFrom } from "../../server/ledger/stream.ts";
import { whenReady } from "../../server/redis/connect.ts";
import { isOutage } from "../../server/redis/outage.ts";
import type { DropAnswer, DropRequest } from "../../server/shop/inventory.ts";
import { readLedger } from "../helpers/books.ts";
import { type Shop, sleep, startShop } from "../helpers/shop.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await startShop({ fsyncAlways: false });
});
afterAll(() => shop.stop());

/** As long as the ids and keys that clients and servers make. */
const buyer = (n: number): string => `v${String(n).padStart(18, "0")}`;
const holdOf = (n: number, more: Partial<DropRequest> = {}): DropRequest => ({
  what: "hold",
  viewerId: buyer(n),
  key: `k${String(n).padStart(21, "x")}`,
  dropId: "d",
  quantity: 1,
  ...more,
});
const upTo = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, i) => from + i);
const words = (answers: readonly DropAnswer[]): readonly string[] => answers.map(([word]) => word);

test("[RUN1][I1][I3][I4] holds decided together are answered one by one, in order: repeats, limits, the last unit", async () => {
  const show = await shop.open({ allotment: 5, perBuyerLimit: 2 });
  const [node] = shop.nodes;
  const answers = await node.decide(show, [
    holdOf(1),
    holdOf(1),
    holdOf(1, { key: "another" }),
    holdOf(1, { key: "a third" }),
    holdOf(2, { what: "cancel", dropId: "" }),
    holdOf(2, { quantity: 2 }),
    holdOf(3, { quantity: 2 }),
    holdOf(1, { what: "cancel", dropId: "" }),
    holdOf(4),
    holdOf(5),
    holdOf(2, { quantity: 2 }),
  ]);
  expect(words(answers)).toEqual(
    "held held held limit notHeld held soldOut cancelled held held held".split(" "),
  );
  expect(answers[1]).toEqual(answers[0]);
  const kinds = (await readLedger(shop.redis, show)).map(({ kind, field }) => [kind, field]);
  expect(kinds.filter(([kind]) => kind === "held")).toHaveLength(5);
  expect(kinds.filter(([kind]) => kind === "cancelled")).toEqual([
    ["cancelled", `${buyer(1)}|${holdOf(1).key}`],
  ]);
  expect(await shop.theDrop(show)).toMatchObject({ available: 0, held: 5 });
  await shop.checkBooks(show);
});

test("[RUN2][I1][I6] every movement of a run is read from the ledger, with the books after it", async () => {
  const show = await shop.open({ allotment: 300 });
  const [node] = shop.nodes;
  await node.decide(
    show,
    upTo(256).map((n) => holdOf(n)),
  );
  await node.decide(
    show,
    upTo(3, 256).map((n) => holdOf(n)),
  );
  const read = [];
  for await (const page of movementsFrom(shop.redis, show, 100)) read.push(...page);
  expect(read.map(({ no }) => no)).toEqual(upTo(161, 100));
  // The allotment is movement 1, so number n is the hold of buyer n - 2.
  for (const { no, viewerId, available, held } of read)
    expect([viewerId, available, held]).toEqual([buyer(no - 2), 301 - no, no - 1]);
  await shop.checkBooks(show);
});

test("[RUN3][I5][F8] runs that lapse and runs that are voided end hold by hold, once each", async () => {
  const [node, other] = shop.nodes;
  const lapsing = await shop.open({ allotment: 700, holdMs: 30 });
  // Being paid in the same step: that hold outlives its deadline.
  await node.decide(lapsing, [...holdsOf(0), holdOf(5, { what: "pay", dropId: "" })]);
  for (const from of [256, 512]) await node.decide(lapsing, holdsOf(from));
  await sleep(40);
  const sweepOut = async (of: typeof node): Promise<void> => {
    while ((await of.sweep(lapsing)).changed > 0);
  };
  await Promise.all([sweepOut(node), sweepOut(other)]);
  expect(await shop.theDrop(lapsing)).toMatchObject({ available: 699, held: 1 });
  expect(await ended(lapsing, "expired")).toBe(699);

  const voided = await shop.open({ allotment: 700 });
  for (const from of [0, 256, 512]) await node.decide(voided, holdsOf(from));
  expect(await node.void(voided, "d", "wrong price")).toEqual(["voided", 700]);
  expect(await shop.theDrop(voided)).toMatchObject({ state: "voided", held: 0, writtenOff: 700 });
  expect(await ended(voided, "cancelled")).toBe(700);
});

test("[RUN4] an accepted hold takes at most 400 bytes of Redis, all that is kept of it; 300,000 refused tries add less than 1 MB", async () => {
  const UNITS = 20_480;
  const dropId = "d0123456789ab";
  const show = await shop.open();
  const [node] = shop.nodes;
  await shop.shows.addProduct(show, { ...TEA, stock: UNITS });
  const terms = { priceCents: 4900, perBuyerLimit: 1, holdMs: 60_000, startsAtMs: 0 };
  const times = { ...terms, endsAtMs: Date.now() + 600_000 };
  await node.allot(show, { ...times, dropId, sku: TEA.sku, allotment: UNITS });
  const BATCH = 256;
  const tryAll = async (from: number, count: number): Promise<string[]> => {
    const heard: string[] = [];
    for (let at = from; at < from + count; at += BATCH) {
      const requests = upTo(BATCH, at).map((n) => holdOf(n, { dropId }));
      heard.push(...words(await node.decide(show, requests)));
    }
    return heard;
  };
  const before = await usedBytes();
  expect(new Set(await tryAll(0, UNITS))).toEqual(new Set(["held"]));
  const after = await usedBytes();
  expect((after - before) / UNITS).toBeLessThanOrEqual(400);
  expect(new Set(await tryAll(UNITS, 1172 * BATCH))).toEqual(new Set(["soldOut"]));
  expect((await usedBytes()) - after).toBeLessThan(1e6);
}, 60_000);

/** A batch of 700 buyers. */
const holdsOf = (from: number): readonly DropRequest[] =>
  upTo(Math.min(256, 700 - from), from).map((n) => holdOf(n));

/** Holds that ended so. @throws when one did twice, or the books do not balance */
async function ended(show: string, kind: string): Promise<number> {
  const lines = await readLedger(shop.redis, show);
  for (const { no, books } of lines)
    expect(books.available + books.held + books.writtenOff, `${no}`).toBe(700);
  const fields = lines.filter((line) => line.kind === kind).map(({ field }) => field);
  expect(new Set(fields).size).toBe(fields.length);
  return fields.length;
}

const TEA = { sku: "more", title: "白茶", priceCents: 4900, imageUrl: "", category: "" };

async function usedBytes(): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await shop.redis.info("memory"))?.[1]);
}

const callsMade = async (): Promise<{ evalsha: number; exec: number }> => {
  const stats = await shop.redis.info("commandstats");
  const of = (name: string): number =>
    Number(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, "m").exec(stats)?.[1] ?? 0);
  return { evalsha: of("evalsha") + of("eval"), exec: of("exec") };
};

test("[RUN5][I1][I4] what a rush asks for goes as several calls of one transaction, answered as one after the other", async () => {
  const show = await shop.open({ allotment: 600 });
  const [node] = shop.nodes;
  const before = await callsMade();
  // Ten of the first call ask again in the last one.
  const asked = [...upTo(750), ...upTo(10)].map((n) => holdOf(n));
  const answers = await node.decide(show, asked);
  const after = await callsMade();
  expect(after.exec - before.exec).toBe(1);
  expect(after.evalsha - before.evalsha).toBe(3);
  expect(words(answers.slice(0, 600))).toEqual(upTo(600).map(() => "held"));
  expect(words(answers.slice(600, 750))).toEqual(upTo(150).map(() => "soldOut"));
  expect(answers.slice(750)).toEqual(answers.slice(0, 10));
  expect(await node.decide(show, asked)).toEqual(answers);
  await shop.checkBooks(show);
});

test("[RUN6][F3] calls of a transaction that were not carried out are made by themselves: lost scripts, a server that takes no writes", async () => {
  const show = await shop.open({ allotment: 1000 });
  const [node] = shop.nodes;
  await node.decide(show, [holdOf(0)]);
  await shop.redis.script("FLUSH");
  const answers = await node.decide(
    show,
    upTo(700).map((n) => holdOf(n)),
  );
  expect(words(answers)).toEqual(upTo(700).map(() => "held"));

  const others = upTo(600, 700).map((n) => holdOf(n));
  await shop.redis.replicaof("127.0.0.1", 1);
  const fault = await node.decide(show, others).catch((error: unknown) => error);
  await shop.redis.replicaof("NO", "ONE");
  expect(String(fault)).toMatch(/READONLY/);
  expect(isOutage(fault)).toBe(true);
  expect(words(await node.decide(show, others))).toEqual(
    upTo(600).map((n) => (n < 300 ? "held" : "soldOut")),
  );
  await shop.checkBooks(show);
});

test("[RUN7][F3][I3] a connection that breaks under a transaction: an outage, and the same keys get one answer each", async () => {
  const show = await shop.open({ allotment: 600 });
  const [node] = shop.nodes;
  const asked = upTo(1000).map((n) => holdOf(n));
  await node.decide(show, [holdOf(0)]);
  for (const round of upTo(8)) {
    const tried = node.decide(show, asked).then(
      () => undefined,
      (fault: unknown) => fault,
    );
    await sleep(round % 4);
    // Answered before it broke, the client may take the connection for a ready one still.
    const closed = once(shop.redis, "close");
    shop.redis.stream.destroy();
    const fault = await tried;
    if (fault !== undefined) expect(isOutage(fault)).toBe(true);
    await closed;
    await whenReady(shop.redis);
  }
  const answers = await node.decide(show, asked);
  expect(words(answers)).toEqual(upTo(1000).map((n) => (n < 600 ? "held" : "soldOut")));
  expect(await shop.theDrop(show)).toMatchObject({ held: 600, available: 0 });
  await shop.checkBooks(show);
});

/** Any interleaving of buyers, cashier, sweep and host over two connections keeps the invariants, judged from the ledger. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { showKeys } from "../../server/redis/keys.ts";
import type { DropAnswer, DropRequest, Inventory } from "../../server/shop/inventory.ts";
import { boughtBy, checkHolds, checkLedger, liveDrops, readLedger } from "../helpers/books.ts";
import { type Shop, startShop } from "../helpers/shop.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await startShop({ fsyncAlways: false });
});
afterAll(() => shop.stop());

const STOCK = 20;
const WHAT = [
  "wait",
  "hold",
  "hold",
  "hold",
  "pay",
  "pay",
  "cancel",
  "settle",
  "decline",
  "refund",
] as const;

const request = fc
  .record({
    what: fc.constantFrom(...WHAT),
    viewerId: fc.constantFrom("ann", "bob", "eve"),
    dropId: fc.constantFrom("now", "soon"),
    key: fc.constantFrom("1", "2"),
    quantity: fc.integer({ min: 1, max: 3 }),
  })
  // A key is for one purchase: clients make a new one for another drop.
  .map((r) => ({ ...r, key: r.dropId + r.key }))
  .map((r) => (r.what === "hold" || r.what === "wait" ? r : { ...r, dropId: "" }));
const step = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("restock" as const),
      via: fc.nat(1),
      dropId: fc.constantFrom("now", "soon"),
      units: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("ask" as const),
      via: fc.nat(1),
      requests: fc.array(request, { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("sweep" as const), via: fc.nat(1) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("end" as const),
      by: fc.constantFrom("close", "void"),
      via: fc.nat(1),
      dropId: fc.constantFrom("now", "soon"),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      ms: fc.integer({ min: 1, max: 12 }),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
const script = fc.record({
  limit: fc.integer({ min: 1, max: 4 }),
  allotment: fc.integer({ min: 1, max: 6 }),
  mode: fc.constantFrom("fcfs" as const, "random" as const, "lottery" as const),
  holdMs: fc.integer({ min: 1, max: 25 }),
  startsInMs: fc.integer({ min: 1, max: 15 }),
  lastsMs: fc.integer({ min: 5, max: 60 }),
  /** Steps of one turn are under way together. */
  turns: fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 12 }),
});
type Script = typeof script extends fc.Arbitrary<infer S> ? S : never;

interface Seen {
  readonly request: DropRequest;
  readonly answer: DropAnswer;
  /** This machine's clock, which is Redis's here. */
  readonly askedMs: number;
  readonly answeredMs: number;
}

let made = 0;

async function prepare({
  limit,
  allotment,
  holdMs,
  startsInMs,
  lastsMs,
  mode,
}: Script): Promise<{ show: string; startsAtMs: number; endsAtMs: number }> {
  const show = `p${++made}`;
  await shop.shows.create(show, { title: "茶", currency: "CNY" });
  await shop.shows.addProduct(show, {
    sku: "tea",
    title: "白茶",
    priceCents: 9900,
    stock: STOCK,
    imageUrl: "",
    category: "",
  });
  const startsAtMs = Date.now() + startsInMs;
  const endsAtMs = startsAtMs + lastsMs;
  const drop = { sku: "tea", priceCents: 4900, allotment, perBuyerLimit: limit, holdMs, endsAtMs };
  await shop.nodes[0].allot(show, { ...drop, dropId: "now", startsAtMs: 0 });
  await shop.nodes[1].allot(show, { ...drop, dropId: "soon", startsAtMs, mode });
  return { show, startsAtMs, endsAtMs };
}

/** As the sweeper does it. @returns true while there is more to do */
async function sweepOnce(inventory: Inventory, show: string): Promise<boolean> {
  const { changed, draws } = await inventory.sweep(show);
  for (const dropId of draws) await inventory.draw(show, dropId);
  return changed > 0;
}

async function act(show: string, one: Step, seen: Seen[]): Promise<void> {
  if (one.kind === "wait") {
    await new Promise((resolve) => setTimeout(resolve, one.ms));
    return;
  }
  const inventory = shop.nodes[one.via === 0 ? 0 : 1];
  if (one.kind === "sweep") await sweepOnce(inventory, show);
  else if (one.kind === "restock") await inventory.restock(show, one.dropId, one.units);
  else if (one.kind === "end") {
    if (one.by === "close") await inventory.close(show, one.dropId);
    else await inventory.void(show, one.dropId, "wrong price");
  } else {
    const askedMs = Date.now();
    const answers = await inventory.decide(show, one.requests);
    one.requests.forEach((r, i) =>
      seen.push({ request: r, answer: answers[i] as DropAnswer, askedMs, answeredMs: Date.now() }),
    );
  }
}

/** What happens to every show in the end: the cashier gives its word on each payment, the deadlines pass. */
async function finish(show: string): Promise<void> {
  const [inventory] = shop.nodes;
  await inventory.close(show, "now");
  await inventory.close(show, "soon");
  const holds = await shop.redis.hgetall(showKeys(show).holds);
  const paying = Object.entries(holds).filter(([, packed]) => packed.split("|")[2] === "p");
  const requests = paying.map(([field], i): DropRequest => {
    const [viewerId = "", key = ""] = field.split("|");
    return { what: i % 2 === 0 ? "settle" : "decline", viewerId, key, dropId: "", quantity: 0 };
  });
  if (requests.length > 0) await inventory.decide(show, requests);
  await new Promise((resolve) => setTimeout(resolve, 30));
  while (await sweepOnce(inventory, show));
}

function checkAnswers(seen: readonly Seen[], startsAtMs: number, endsAtMs: number): void {
  const held = new Map<string, DropAnswer>();
  for (const { request: r, answer, askedMs, answeredMs } of seen) {
    if (r.what !== "hold" || answer[0] !== "held") continue;
    const field = `${r.viewerId}|${r.key}`;
    const first = held.get(field);
    if (first !== undefined) {
      expect(answer, "[I3] a repeat gets the same answer").toEqual(first);
      continue;
    }
    held.set(field, answer);
    expect(answer[1], "[I3] what was never held has no deadline").toBeGreaterThan(0);
    // Whoever stood in line was offered the unit in between, and hears of it now.
    if (seen.some(({ request: w }) => w.what === "wait" && `${w.viewerId}|${w.key}` === field))
      continue;
    expect(askedMs, "[I9] nothing sells after the end").toBeLessThan(endsAtMs);
    if (r.dropId === "soon")
      expect(answeredMs, "[I9] nothing sells before the start").toBeGreaterThanOrEqual(startsAtMs);
  }
}

async function checkAll(show: string, endsAtMs: number): Promise<void> {
  const ledger = await readLedger(shop.redis, show);
  const live = await liveDrops(shop.redis, show);
  checkLedger(ledger, live, endsAtMs);
  checkHolds(ledger, true);
  const keys = showKeys(show);
  // `…|w` marks a place in the waiting line, not units.
  const buyers = Object.entries(await shop.redis.hgetall(keys.buyers))
    .filter(([buyer]) => !buyer.endsWith("|w"))
    .map(([buyer, units]) => [buyer, Number(units)] as const);
  expect(
    new Map(buyers.filter(([, units]) => units !== 0)),
    "[I4] the limit counts what is held",
  ).toEqual(boughtBy(ledger));
  const product = JSON.parse((await shop.redis.hget(keys.products, "tea")) ?? "") as {
    stock: number;
  };
  const inDrops = live.reduce((sum, d) => sum + d.allotment + d.restocked - d.writtenOff, 0);
  expect(product.stock + inDrops, "[I1] no unit appears or vanishes").toBe(STOCK);
  for (const d of live)
    expect(
      [d.state === "closed" || d.state === "voided", d.held],
      "[I5] nothing is held for ever",
    ).toEqual([true, 0]);

  const orders = Object.values(await shop.redis.hgetall(keys.orders)).map(
    (json) => JSON.parse(json) as { quantity: number; amountCents: number },
  );
  const sold = ledger.filter((line) => line.kind === "sold");
  expect(orders.length, "[I8] one order per sale").toBe(sold.length);
  expect(
    orders.reduce((sum, o) => sum + o.amountCents, 0),
    "[I8] money adds up",
  ).toBe(sold.reduce((sum, l) => sum + l.cents, 0));

  const states = Object.entries(await shop.redis.hgetall(keys.holds)).map(
    ([field, packed]) => [field, packed.split("|")[2]] as const,
  );
  const refunds = (await shop.redis.xrange(keys.payments, "-", "+")).filter(
    ([, fields]) => fields[1] === "refund",
  );
  expect(
    states.filter(([, state]) => state === "w"),
    "[I5] nobody waits for ever",
  ).toEqual([]);
  const late = states.filter(([, state]) => state === "l" || state === "r").map(([field]) => field);
  expect(
    new Set(refunds.map(([, fields]) => fields[3])),
    "[I5] each late payment goes back",
  ).toEqual(new Set(late));
  expect(refunds.length, "[I5] and only once").toBe(late.length);
}

async function playOut(s: Script): Promise<void> {
  const { show, startsAtMs, endsAtMs } = await prepare(s);
  const seen: Seen[] = [];
  for (const turn of s.turns) await Promise.all(turn.map((one) => act(show, one, seen)));
  await finish(show);
  checkAnswers(seen, startsAtMs, endsAtMs);
  await checkAll(show, endsAtMs);
}

test("[I1][I2][I3][I4][I5][I6][I9] any interleaving over two connections keeps the books", async () => {
  await fc.assert(
    // Several shows at once: waiting is most of what one does.
    fc.asyncProperty(fc.array(script, { minLength: 1, maxLength: 4 }), async (scripts) => {
      await Promise.all(scripts.map(playOut));
    }),
    { numRuns: 100, interruptAfterTimeLimit: 7000, markInterruptAsFailure: false },
  );
});

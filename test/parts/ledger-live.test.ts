/** Replaying the ledger gives the live state, whatever happened; and what does not fit is named. */
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { showKeys } from "../../server/redis/keys.ts";
import { createReturns } from "../../server/payments/returns.ts";
import type { DropRequest } from "../../server/shop/inventory.ts";
import { readLedger } from "../helpers/books.ts";
import { sleep } from "../helpers/shop.ts";
import { asked, startTailing, type Tailing } from "../helpers/tailing.ts";

let world: Tailing;
beforeAll(async () => {
  world = await startTailing();
});
afterEach(() => world.stopTails());
afterAll(() => world.stop());

const request = fc
  .record({
    what: fc.constantFrom("hold", "hold", "hold", "wait", "pay", "cancel", "settle", "decline"),
    viewerId: fc.constantFrom("ann", "bob", "eve"),
    key: fc.constantFrom("1", "2", "3"),
    quantity: fc.integer({ min: 1, max: 3 }),
  })
  .map((r): DropRequest => ({
    ...asked(r.what as "hold", r.viewerId, r.key),
    quantity: r.quantity,
  }));
const step = fc.oneof(
  { weight: 8, arbitrary: fc.array(request, { minLength: 1, maxLength: 6 }) },
  { weight: 2, arbitrary: fc.constantFrom("sweep", "restock", "wait", "return") },
  { weight: 1, arbitrary: fc.constantFrom("close", "void") },
);
const script = fc.record({
  allotment: fc.integer({ min: 1, max: 6 }),
  perBuyerLimit: fc.integer({ min: 1, max: 6 }),
  holdMs: fc.integer({ min: 1, max: 25 }),
  steps: fc.array(step, { minLength: 1, maxLength: 14 }),
});

async function act(show: string, one: typeof step extends fc.Arbitrary<infer S> ? S : never) {
  const [inventory] = world.shop.nodes;
  if (typeof one !== "string") await inventory.decide(show, one);
  else if (one === "sweep") await inventory.sweep(show);
  else if (one === "return")
    await createReturns(world.shop.redis).takeBack(show, "D000001", "broken");
  else if (one === "restock") await inventory.restock(show, "d", 2);
  else if (one === "close") await inventory.close(show, "d");
  else if (one === "void") await inventory.void(show, "d", "wrong price");
  else await sleep(8);
}

test("[LEDGER10][I1][I5][I6][I8] after any history the files verify, and replaying them gives the live state", async () => {
  const shows: string[] = [];
  world.tail(shows);
  await fc.assert(
    fc.asyncProperty(fc.array(script, { minLength: 2, maxLength: 6 }), async (scripts) => {
      await Promise.all(
        scripts.map(async ({ steps, ...terms }) => {
          const show = await world.shop.open(terms);
          shows.push(show);
          for (const one of steps) await act(show, one);
          await world.caughtUp(show);
          const live = await world.compared(show);
          expect(live.bad).toBe(undefined);
          expect(live.same).toBe((await readLedger(world.shop.redis, show)).length);
        }),
      );
    }),
    { numRuns: 25, interruptAfterTimeLimit: 4000, markInterruptAsFailure: false },
  );
});

test("[LEDGER10][I6][I8] what somebody changed in the live state, or in Redis's ledger, is named", async () => {
  const show = await world.open();
  await world.rush(show, 0, 60);
  await world.stopTail(world.tail([show]));
  world.tail([show]);
  await world.caughtUp(show);
  expect(await world.compared(show)).toMatchObject({
    bad: undefined,
    moving: 0,
    orders: 20,
    orderCents: 20 * 4900,
  });
  const keys = showKeys(show);
  const changed = async (hash: string, field: string, change: (was: string) => string) => {
    const was = (await world.shop.redis.hget(hash, field)) ?? "";
    await world.shop.redis.hset(hash, field, change(was));
    const { bad } = await world.compared(show);
    await world.shop.redis.hset(hash, field, was);
    return bad?.en;
  };
  expect(await changed(keys.drops, "d", (was) => was.replace(/"sold":\d+/, '"sold":19'))).toContain(
    "drop d",
  );
  expect(await changed(keys.holds, "v0|k0", (was) => was.replace("|s|", "|x|"))).toContain(
    "hold v0|k0",
  );
  expect(
    await changed(keys.orders, "D000001", (was) =>
      was.replace(/"amountCents":\d+/, '"amountCents":1'),
    ),
  ).toContain("order D000001");
  expect(await changed(keys.buyers, "d|v0", () => "9")).toContain("buyer d|v0");
  await world.shop.redis.hset(keys.holds, "eve|k", "d|1|h|99|4900||9|0|0|");
  expect((await world.compared(show)).bad?.en).toContain("hold eve|k");
  await world.shop.redis.hdel(keys.holds, "eve|k");
  await world.shop.redis.hdel(keys.orders, "D000002");
  expect((await world.compared(show)).bad?.en).toContain("the order of hold");
  await world.shop.redis.xtrim(keys.ledger, "MAXLEN", 1);
  expect((await world.compared(show)).bad?.en).toContain("the order of hold");
});

test("[LEDGER10] a show in motion can be verified: what moves meanwhile is left out, nothing is called wrong", async () => {
  const show = await world.open({ allotment: 1000, perBuyerLimit: 99 });
  world.tail([show]);
  const selling = new AbortController();
  const sold = (async () => {
    for (let n = 0; n < 4000 && !selling.signal.aborted; n += 40) await world.rush(show, n, 40);
  })();
  for (let i = 0; i < 6; i++) expect((await world.compared(show)).bad).toBe(undefined);
  selling.abort();
  await sold;
});

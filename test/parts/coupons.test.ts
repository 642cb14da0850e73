import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Coupon } from "#wire";
import { createReplay } from "../../server/ledger/replay.ts";
import { movementsFrom } from "../../server/ledger/stream.ts";
import { showKeys } from "../../server/redis/keys.ts";
import { type Gateway, startWorld, until, type World } from "../helpers/rooms.ts";

let world: World;
let one: Gateway;
let two: Gateway;
beforeAll(async () => {
  world = await startWorld();
  [one, two] = await Promise.all([world.gateway(), world.gateway()]);
});
afterAll(() => world.stop());

const addCoupon = async (show: string, more: Partial<Coupon> = {}): Promise<string> => {
  const coupon: Coupon = {
    couponId: "ten-off",
    title: "立减 10 元",
    offCents: 1000,
    minSpendCents: 0,
    sku: "",
    perViewerLimit: 1,
    startsAtMs: 0,
    endsAtMs: Date.now() + 600_000,
    stacks: false,
    left: 5,
    version: 1,
    ...more,
  };
  expect(await world.inventory.addCoupon(show, coupon)).toBe("made");
  return coupon.couponId;
};
const unused = (
  live: { state: { unusedCoupons: Map<string, { unused: number }> } },
  id: string,
): number => live.state.unusedCoupons.get(id)?.unused ?? 0;

test("[COUPON1][I3] a coupon claimed twice quickly, on two nodes, with the same key is one grant", async () => {
  const show = await world.show();
  const [ann, tab] = await Promise.all([
    world.join(one, show, "ann"),
    world.join(two, show, "ann"),
  ]);
  const couponId = await addCoupon(show);
  await until(() => ann.state.coupons.has(couponId));
  const answers = await Promise.all(
    [ann, tab, ann, tab].map((live) => live.claim(couponId, { key: "k" })),
  );
  expect(answers).toEqual(Array.from({ length: 4 }, () => ({ result: "granted" })));
  expect(await tab.claim(couponId)).toEqual({ result: "limit" });
  await until(() => unused(ann, couponId) === 1 && unused(tab, couponId) === 1);
  await until(() => ann.state.coupons.get(couponId)?.left === 4);
  const late = await world.join(two, show, "ann");
  expect(unused(late, couponId)).toBe(1);
  expect(late.state.coupons.get(couponId)).toMatchObject({ left: 4, offCents: 1000 });
});

test("[COUPON2][I8][F10] 200 viewers race for a budget of 20 claims: exactly 20 are granted", async () => {
  const show = await world.show();
  const couponId = await addCoupon(show, { left: 20 });
  const lives = await Promise.all(
    Array.from({ length: 200 }, (_, i) => world.join(i % 2 === 0 ? one : two, show, `v${i}`)),
  );
  const answers = await Promise.all(lives.map((live) => live.claim(couponId)));
  expect(answers.filter((a) => a.result === "granted")).toHaveLength(20);
  expect(answers.filter((a) => a.result === "gone")).toHaveLength(180);
  for (const live of lives) live.close();
});

test("[COUPON3] a coupon is redeemed in the step that makes the hold, and comes back when the hold ends unpaid", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 3, { perBuyerLimit: 3 });
  const couponId = await addCoupon(show);
  const ann = await world.join(one, show, "ann");
  expect(await ann.hold(dropId, { coupons: [couponId] })).toEqual({ result: "coupon" });
  await ann.claim(couponId);
  const hold = await ann.hold(dropId, { key: "k", coupons: [couponId] });
  expect(hold.result).toBe("held");
  await until(() => ann.state.orders.get("k")?.state === "held");
  expect(ann.state.orders.get("k")).toMatchObject({ amountCents: 3900, discountCents: 1000 });
  await until(() => unused(ann, couponId) === 0);
  expect(await ann.hold(dropId, { coupons: [couponId] })).toEqual({ result: "coupon" });
  expect(await ann.hold(dropId, { key: "k", coupons: [couponId] })).toEqual(hold);
  await ann.cancel("k");
  await until(() => unused(ann, couponId) === 1);
  expect((await ann.hold(dropId, { key: "k2", coupons: [couponId] })).result).toBe("held");
  // Sold: the claim is spent for good.
  await world.inventory.decide(show, [
    { what: "settle", viewerId: "ann", key: "k2", dropId: "", quantity: 0 },
  ]);
  await until(() => ann.state.orders.get("k2")?.state === "sold");
  expect(ann.state.orders.get("k2")).toMatchObject({ amountCents: 3900 });
  expect(await ann.hold(dropId, { coupons: [couponId] })).toEqual({ result: "coupon" });
  expect(await world.store.hget(showKeys(show).claims, `${couponId}|ann`)).toMatch(/=s$/);
});

test("[COUPON4] window, least spend, product and stacking rule are kept", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 50, { perBuyerLimit: 50 });
  const ann = await world.join(one, show, "ann");
  const add = (couponId: string, more: Partial<Coupon>): Promise<string> =>
    addCoupon(show, { couponId, ...more });
  await add("early", { startsAtMs: Date.now() + 60_000 });
  await add("over", { endsAtMs: Date.now() - 1 });
  expect(await ann.claim("early")).toEqual({ result: "notOpen" });
  expect(await ann.claim("over")).toEqual({ result: "ended" });
  await expect(ann.claim("nothing")).rejects.toMatchObject({ code: "notFound" });
  await add("two-units", { minSpendCents: 9800 });
  await add("other-sku", { sku: "pot" });
  await add("alone", {});
  await add("with-others-1", { stacks: true });
  await add("with-others-2", { stacks: true, offCents: 2000 });
  for (const id of ["two-units", "other-sku", "alone", "with-others-1", "with-others-2"])
    expect(await ann.claim(id)).toEqual({ result: "granted" });
  const hold = async (quantity: number, ...coupons: string[]): Promise<string> =>
    (await ann.hold(dropId, { quantity, coupons })).result;
  expect(await hold(1, "two-units")).toBe("coupon");
  expect(await hold(1, "other-sku")).toBe("coupon");
  expect(await hold(1, "alone", "with-others-1")).toBe("coupon");
  expect(await hold(2, "two-units")).toBe("held");
  expect(await hold(1, "with-others-1", "with-others-2")).toBe("held");
  await until(() =>
    [...ann.state.orders.values()].some((o) => o.discountCents === 3000 && o.amountCents === 1900),
  );
  expect(unused(ann, "alone")).toBe(1);
});

test("[COUPON5][I8] any history keeps outlay within the budget, and every claim in one state", async () => {
  let run = 0;
  const act = fc.record({
    viewer: fc.integer({ min: 0, max: 3 }),
    key: fc.integer({ min: 0, max: 5 }),
    what: fc.constantFrom("claim", "hold", "cancel", "settle", "decline", "pay"),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 6 }),
      fc.array(act, { maxLength: 40 }),
      async (budget, acts) => {
        const show = await world.show();
        const dropId = await world.drop(show, 8, { perBuyerLimit: 4 });
        const couponId = await addCoupon(show, {
          left: budget,
          perViewerLimit: 2,
          couponId: `c${run++}`,
        });
        const requests = acts.map(({ viewer, key, what }) => ({
          what: what as "claim",
          viewerId: `v${viewer}`,
          key: `k${key}`,
          dropId: what === "claim" ? couponId : what === "hold" ? dropId : "",
          quantity: what === "hold" ? 1 : 0,
          coupons: what === "hold" ? [couponId] : [],
        }));
        for (let i = 0; i < requests.length; i += 7)
          await world.inventory.decide(show, requests.slice(i, i + 7));
        const keys = showKeys(show);
        const claims = Object.values(await world.store.hgetall(keys.claims)).flatMap((list) =>
          list.split(","),
        );
        const holds = Object.values(await world.store.hgetall(keys.holds)).map((packed) =>
          packed.split("|"),
        );
        const count = (state: string): number =>
          claims.filter((claim) => claim.endsWith(`=${state}`)).length;
        const outlayCents = holds
          .filter(([, , state]) => state === "s")
          .reduce((sum, h) => sum + Number(h[8]), 0);
        expect(claims.length).toBeLessThanOrEqual(budget);
        expect(outlayCents).toBe(1000 * count("s"));
        // The ledger alone says the same, to the cent, and never more than the budget.
        const replay = createReplay();
        let ledgerCents = 0;
        for await (const page of movementsFrom(world.store, show, 1))
          for (const m of page) {
            const [buyer, hold] = [
              m.viewerId && `${m.dropId}|${m.viewerId}`,
              m.holdId && `${m.viewerId}|${m.holdId}`,
            ];
            expect(replay.apply({ ...m, buyer, hold })).toBeUndefined();
            ledgerCents += m.discountCents;
          }
        expect(ledgerCents).toBe(outlayCents);
        expect(replay.outlays.get(couponId)?.spent ?? 0).toBe(count("s"));
        expect(count("h")).toBe(
          holds.filter(([, , state]) => state === "h" || state === "p").length,
        );
        const books = JSON.parse((await world.store.hget(keys.drops, dropId)) ?? "{}") as Record<
          string,
          number
        >;
        const inState = (...states: string[]): number =>
          holds.filter((h) => states.includes(h[2] ?? "")).length;
        expect(books).toMatchObject({
          held: inState("h", "p"),
          sold: inState("s"),
          available: 8 - inState("h", "p", "s"),
        });
        const left = (
          JSON.parse((await world.store.hget(keys.coupons, couponId)) ?? "{}") as Coupon
        ).left;
        expect(left).toBe(budget - claims.length);
      },
    ),
    { numRuns: 60 },
  );
}, 30_000);

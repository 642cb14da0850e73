import { expect, test } from "vitest";
import { bestCoupons } from "../../server/pages/viewer/coupon-choice.ts";
import type { Coupon } from "#sdk";

const coupon = (couponId: string, more: Partial<Coupon> = {}): Coupon => ({
  couponId,
  title: couponId,
  offCents: 1000,
  minSpendCents: 0,
  sku: "",
  perViewerLimit: 1,
  startsAtMs: 0,
  endsAtMs: 2000,
  stacks: false,
  left: 0,
  version: 1,
  ...more,
});
const TEA = { sku: "tea", priceCents: 5000 };
const choose = (coupons: readonly Coupon[], { quantity = 1, nowMs = 1000, unused = 1 } = {}) =>
  bestCoupons(TEA, quantity, {
    coupons: new Map(coupons.map((c) => [c.couponId, c])),
    unused: new Map(coupons.map((c) => [c.couponId, { unused }])),
    nowMs,
  });

test("[PAGE8] the coupon that takes off most is used by itself", () => {
  const { couponIds, offCents } = choose([coupon("a"), coupon("b", { offCents: 1500 })]);
  expect(couponIds).toEqual(["b"]);
  expect(offCents).toBe(1500);
});

test("[PAGE8] a coupon for another product, above the spend, out of its window or used up is left alone", () => {
  const none = { couponIds: [], offCents: 0 };
  expect(choose([coupon("other", { sku: "pot" })])).toEqual(none);
  expect(choose([coupon("rich", { minSpendCents: 5001 })])).toEqual(none);
  expect(choose([coupon("rich", { minSpendCents: 5001 })], { quantity: 2 }).offCents).toBe(1000);
  expect(choose([coupon("early", { startsAtMs: 1001 })])).toEqual(none);
  expect(choose([coupon("late")], { nowMs: 2000 })).toEqual(none);
  expect(choose([coupon("used")], { unused: 0 })).toEqual(none);
  expect(choose([coupon("own", { sku: "tea", minSpendCents: 5000 })]).offCents).toBe(1000);
});

test("[PAGE8] stacking coupons go together, three at most, unless one alone takes off more", () => {
  const stack = ["s1", "s2", "s3", "s4"].map((id) => coupon(id, { stacks: true }));
  expect(choose([...stack, coupon("alone", { offCents: 2900 })]).couponIds).toHaveLength(3);
  expect(choose([...stack, coupon("alone", { offCents: 3100 })]).couponIds).toEqual(["alone"]);
});

test("[PAGE8] nothing is spent beyond the price, and of equal coupons the one that ends first goes", () => {
  const stack = ["s1", "s2"].map((id) => coupon(id, { stacks: true, offCents: 6000 }));
  expect(choose(stack)).toEqual({ couponIds: ["s1"], offCents: 5000 });
  expect(choose([coupon("huge", { offCents: 9000 }), coupon("snug", { offCents: 5000 })])).toEqual({
    couponIds: ["snug"],
    offCents: 5000,
  });
  expect(choose([coupon("long"), coupon("short", { endsAtMs: 1500 })]).couponIds).toEqual([
    "short",
  ]);
});

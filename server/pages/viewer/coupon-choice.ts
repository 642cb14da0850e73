/**
 * Which unused coupons a purchase takes by itself: those that take off most. Pure, and by the rules of the server's `redeem`
 * (server/shop/decide.lua): product, least spend, window, and alone unless all of them stack.
 */
import type { Coupon, Drop } from "#sdk";

/** The wire takes no more with one hold. */
const MOST_TOGETHER = 3;

export interface CouponChoice {
  readonly couponIds: readonly string[];
  /** Never more than the price. */
  readonly offCents: number;
}

export interface Wallet {
  readonly coupons: ReadonlyMap<string, Coupon>;
  /** Own claims that can be redeemed, by coupon id. */
  readonly unused: ReadonlyMap<string, { readonly unused: number }>;
  readonly nowMs: number;
}

const NONE: CouponChoice = { couponIds: [], offCents: 0 };

export function bestCoupons(
  { sku, priceCents }: Pick<Drop, "sku" | "priceCents">,
  quantity: number,
  { coupons, unused, nowMs }: Wallet,
): CouponChoice {
  const totalCents = priceCents * quantity;
  const fitting = [...coupons.values()]
    .filter(
      (coupon) =>
        (unused.get(coupon.couponId)?.unused ?? 0) > 0 &&
        nowMs >= coupon.startsAtMs &&
        nowMs < coupon.endsAtMs &&
        (coupon.sku === "" || coupon.sku === sku) &&
        totalCents >= coupon.minSpendCents,
    )
    // Of equal ones, the one that ends first.
    .toSorted((a, b) => b.offCents - a.offCents || a.endsAtMs - b.endsAtMs);
  const stacking = fitting.filter((coupon) => coupon.stacks).slice(0, MOST_TOGETHER);
  // The shortest run that takes off all it can: no claim is spent on nothing.
  const together = stacking.map((_, i) => stacking.slice(0, i + 1));
  const alone = fitting.map((coupon) => [coupon]);
  let best = { ...NONE, nominalCents: 0 };
  for (const set of [...alone, ...together]) {
    const nominalCents = set.reduce((sum, coupon) => sum + coupon.offCents, 0);
    const offCents = Math.min(totalCents, nominalCents);
    const isCloser = set.length <= best.couponIds.length && nominalCents < best.nominalCents;
    if (offCents > best.offCents || (offCents === best.offCents && isCloser))
      best = { couponIds: set.map((coupon) => coupon.couponId), offCents, nominalCents };
  }
  return { couponIds: best.couponIds, offCents: best.offCents };
}

/**
 * What coupons have taken off, checked from the ledger alone [I8]: each sale names its coupons with what one claim takes off and how
 * many claims their budget covers, always the same; no coupon is spent more often, and no sale gets more than its coupons give.
 */
import type { PublicMovement } from "./movement.ts";
import type { Reason } from "./reason.ts";

export interface Outlay {
  readonly offCents: number;
  /** All that the budget covers. */
  readonly claims: number;
  readonly spent: number;
}

export interface Outlays {
  readonly byCoupon: ReadonlyMap<string, Outlay>;
  /** @returns why this cannot have been taken off */
  spend(sale: Pick<PublicMovement, "kind" | "discountCents" | "coupons">): Reason | undefined;
}

const TERMS = /^([A-Za-z0-9_-]+):(\d{1,15}):(\d{1,15})$/;

export function createOutlays(): Outlays {
  const byCoupon = new Map<string, Outlay>();
  /** The outlay of a coupon after one more claim, given as it was before. */
  const spendOne = (terms: string, spent: ReadonlyMap<string, Outlay>): Named | Reason => {
    const [, id = "", off = "", all = ""] = TERMS.exec(terms) ?? [];
    const [offCents, claims] = [Number(off), Number(all)];
    const before = spent.get(id) ?? byCoupon.get(id) ?? { offCents, claims, spent: 0 };
    const isSame = id !== "" && before.offCents === offCents && before.claims === claims;
    if (!isSame) return OTHER_TERMS;
    if (before.spent >= claims) return overspent(id, claims);
    return { id, offCents, claims, spent: before.spent + 1 };
  };
  return {
    byCoupon,
    spend({ kind, discountCents, coupons }) {
      const named = coupons === "" ? [] : coupons.split(",");
      if (named.length > 0 && kind !== "sold") return WITHOUT_COUPON;
      const spent = new Map<string, Outlay>();
      let mostCents = 0;
      for (const terms of named) {
        const outlay = spendOne(terms, spent);
        if ("en" in outlay) return outlay;
        spent.set(outlay.id, outlay);
        mostCents += outlay.offCents;
      }
      if (discountCents > mostCents) return WITHOUT_COUPON;
      for (const [id, outlay] of spent) byCoupon.set(id, outlay);
      return undefined;
    },
  };
}

type Named = Outlay & { readonly id: string };

const WITHOUT_COUPON: Reason = {
  en: "more was taken off than the coupons of a sale give [I8]",
  zh: "优惠金额超过该订单的优惠券面额 [I8]",
};
const OTHER_TERMS: Reason = {
  en: "a coupon is not worth what it was before [I8]",
  zh: "同一优惠券的条件前后不一 [I8]",
};
const overspent = (id: string, claims: number): Reason => ({
  en: `coupon ${id} was spent more often than its budget covers: ${claims} times [I8]`,
  zh: `优惠券 ${id} 的使用次数超过预算所含的 ${claims} 张 [I8]`,
});

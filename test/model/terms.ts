/** What a history begins with: one product, two drops and three coupons, small enough that everything runs out. */
import fc from "fast-check";
import type { Coupon, Drop, Shop } from "./shop.ts";

export const STOCK = 14;
export const PRICE_CENTS = 4900;

export const COUPONS: Readonly<
  Record<string, Omit<Coupon, "endsAtMs"> & { readonly lastsMs: number }>
> = {
  ten: { offCents: 1000, budget: 3, limit: 2, stacks: false, minSpendCents: 0, lastsMs: 400_000 },
  most: { offCents: 4000, budget: 2, limit: 1, stacks: true, minSpendCents: 0, lastsMs: 5000 },
  pair: {
    offCents: 2000,
    budget: 2,
    limit: 1,
    stacks: true,
    minSpendCents: 9800,
    lastsMs: 400_000,
  },
};

export interface Terms {
  readonly allotted: number;
  readonly limit: number;
  readonly holdMs: number;
  /** Of the drop `soon`; `now` starts at once. */
  readonly startsInMs: number;
  readonly lastsMs: number;
  readonly returnsTo: Shop["returnsTo"];
  /** Of `soon`, whose line this seed draws. */
  readonly mode: Drop["mode"];
  readonly seed: string;
  /** What both ask for. */
  readonly admission: Drop["admission"];
  /** `now` is of class replica. */
  readonly isReplica: boolean;
}

/** What a pinned history does not name. */
export const PLAIN = {
  mode: "fcfs",
  seed: "",
  admission: "open",
  isReplica: false,
} as const satisfies Partial<Terms>;

export const anyTerms: fc.Arbitrary<Terms> = fc.record({
  allotted: fc.integer({ min: 1, max: 5 }),
  limit: fc.integer({ min: 1, max: 4 }),
  holdMs: fc.constantFrom(1000, 1000, 90_000),
  startsInMs: fc.constantFrom(300, 3000, 3000),
  lastsMs: fc.constantFrom(4000, 900_000, 900_000),
  returnsTo: fc.constantFrom("drop", "product", "none"),
  mode: fc.constantFrom("fcfs", "random", "lottery"),
  seed: fc.constantFrom("a", "b", "c", "d", "e", "f"),
  admission: fc.constantFrom("open", "open", "open", "flagged", "token", "proof"),
  isReplica: fc.constantFrom(false, false, true),
});
/** On another primary a drop of class replica stands still until it is recovered: not the model's business. */
export const anyTermsWithCrashes = anyTerms.map((terms) => ({ ...terms, isReplica: false }));

type NewDrop = Pick<
  Drop,
  | "allotted"
  | "limit"
  | "holdMs"
  | "startsAtMs"
  | "endsAtMs"
  | "mode"
  | "seed"
  | "admission"
  | "isReplica"
>;

export function dropsOf(
  { allotted, limit, holdMs, startsInMs, lastsMs, admission, ...terms }: Terms,
  nowMs: number,
): Readonly<Record<string, NewDrop>> {
  const drop = { allotted, limit, holdMs, endsAtMs: nowMs + lastsMs, admission };
  const { mode, seed, isReplica } = terms;
  return {
    now: { ...drop, startsAtMs: nowMs, mode: "fcfs", seed: "", isReplica },
    soon: { ...drop, startsAtMs: nowMs + startsInMs, mode, seed, isReplica: false },
  };
}

export function shopOn(terms: Terms, nowMs: number): Shop {
  const fresh = (drop: NewDrop): Drop => ({
    ...drop,
    state: drop.startsAtMs <= nowMs ? "open" : "announced",
    isDrawn: false,
    restocked: 0,
    writtenOff: 0,
    epoch: 0,
    line: [],
    served: 0,
    holds: { lastMs: 0, fields: [] },
    offers: { lastMs: 0, fields: [] },
  });
  const drops = Object.entries(dropsOf(terms, nowMs)).map(
    ([id, drop]) => [id, fresh(drop)] as const,
  );
  const coupons = Object.entries(COUPONS).map(
    ([id, { lastsMs, ...coupon }]) => [id, { ...coupon, endsAtMs: nowMs + lastsMs }] as const,
  );
  return {
    stock: STOCK,
    priceCents: PRICE_CENTS,
    returnsTo: terms.returnsTo,
    drops: Object.fromEntries(drops),
    coupons: Object.fromEntries(coupons),
    holds: {},
    claims: {},
    orders: [],
    payments: [],
    overdue: {},
  };
}

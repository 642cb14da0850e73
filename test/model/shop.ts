/**
 * The model's shop: what there is to remember. Nothing is counted that can be derived, so no count can be wrong: stock, limits and
 * budgets follow from the holds, and I1 holds by construction. What happens to it is in rules.ts.
 */

export type Answer = readonly (string | number)[];

interface Ask<W extends string> {
  readonly what: W;
  readonly viewerId: string;
  readonly key: string;
}
interface AskForUnits<W extends string> extends Ask<W> {
  readonly dropId: string;
  readonly quantity: number;
  /** How far a pass admits it, and what was odd about it: what the door has found. Without: not at all, and nothing. */
  readonly admitted?: Admitted;
}
export interface Admitted {
  readonly level: number;
  readonly flags: string;
}
/** The cashier's word about the nth payment that the shop has asked for. */
interface Word<W extends string> {
  readonly what: W;
  readonly payment: number;
}
export type Request =
  | (AskForUnits<"hold"> & {
      readonly coupons: readonly string[];
      /** Of a tap: what it is for. It has no coupons. */
      readonly restockEpoch?: number;
    })
  | AskForUnits<"wait">
  | (Ask<"claim"> & { readonly couponId: string })
  | Ask<"pay">
  | Ask<"cancel">
  | Word<"settle">
  | Word<"decline">
  | Word<"refund">;

export type Deed =
  | {
      readonly what: "batch";
      readonly requests: readonly Request[];
      /** Sent as so many to a call, all calls in one transaction; undefined: in one call. */
      readonly perCall?: number | undefined;
    }
  | { readonly what: "restock"; readonly dropId: string; readonly units: number }
  | { readonly what: "close" | "void" | "draw"; readonly dropId: string }
  | { readonly what: "takeBack"; readonly order: number }
  | { readonly what: "sweep" };

export interface Drop {
  state: "announced" | "open" | "soldOut" | "closed" | "voided";
  readonly startsAtMs: number;
  endsAtMs: number;
  readonly allotted: number;
  readonly limit: number;
  readonly holdMs: number;
  /** fcfs: first come, first served. Drawn: who queued before the start is served in drawn order; of a lottery nobody else is. */
  readonly mode: "fcfs" | "random" | "lottery";
  readonly seed: string;
  isDrawn: boolean;
  readonly admission: "open" | "flagged" | "token" | "proof";
  /** What is answered about its holds says that nobody may be told before replicas have it. */
  readonly isReplica: boolean;
  restocked: number;
  writtenOff: number;
  epoch: number;
  /** Everybody who ever stood in line, in order, drawn order once it is drawn, and how many of them have had their turn. */
  line: string[];
  served: number;
  /** Holds and offers that have a deadline, in order of it; a deadline never comes before one that was given earlier. */
  holds: Timed;
  offers: Timed;
}
export interface Timed {
  lastMs: number;
  fields: string[];
}

export interface Hold {
  readonly dropId: string;
  readonly quantity: number;
  state:
    | "waiting"
    | "held"
    | "paying"
    | "sold"
    | "expired"
    | "cancelled"
    | "paid_late"
    | "refunded";
  deadlineMs: number;
  cents: number;
  offCents: number;
  readonly coupons: readonly string[];
  orderId: string;
  ticket: number;
  /** It was sold, and its units have been taken back. */
  isReturned: boolean;
  /** What was odd about it. */
  readonly flags: string;
}

export interface Coupon {
  readonly offCents: number;
  readonly budget: number;
  readonly limit: number;
  readonly stacks: boolean;
  readonly minSpendCents: number;
  readonly endsAtMs: number;
}

export interface Payment {
  readonly what: "charge" | "refund";
  readonly field: string;
  readonly cents: number;
  /** refund: the charge that goes back. */
  readonly of: number;
  isDone: boolean;
}

export interface Shop {
  readonly stock: number;
  readonly priceCents: number;
  /** Where units of an order go that is taken back; none: they are lost. */
  readonly returnsTo: "drop" | "product" | "none";
  readonly drops: Record<string, Drop>;
  readonly coupons: Record<string, Coupon>;
  readonly holds: Record<string, Hold>;
  /** Keys of claims, by `couponId|viewerId`. */
  readonly claims: Record<string, string[]>;
  readonly orders: {
    readonly field: string;
    state: "sold" | "refunding" | "refunded";
    /** Payments. */
    readonly charge: number;
    refund: number;
  }[];
  readonly payments: Payment[];
  /** When a payment is given up whose hold has ended. */
  readonly overdue: Record<string, number>;
}

export const viewerOf = (field: string): string => field.slice(0, field.indexOf("|"));
export const isOver = (drop: Drop): boolean => drop.state === "closed" || drop.state === "voided";
const hasUnits = (hold: Hold): boolean =>
  hold.state === "held" || hold.state === "paying" || (hold.state === "sold" && !hold.isReturned);
export const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Units in holds of this drop that `which` picks. */
export const unitsIn = (
  shop: Shop,
  dropId: string,
  which: (hold: Hold, field: string) => boolean,
): number =>
  sum(
    Object.entries(shop.holds).map(([field, hold]) =>
      hold.dropId === dropId && which(hold, field) ? hold.quantity : 0,
    ),
  );

export const availableIn = (shop: Shop, dropId: string): number => {
  const { allotted, restocked, writtenOff } = dropOf(shop, dropId);
  return allotted + restocked - writtenOff - unitsIn(shop, dropId, hasUnits);
};

export const boughtBy = (shop: Shop, dropId: string, viewerId: string): number =>
  unitsIn(shop, dropId, (hold, field) => hasUnits(hold) && viewerOf(field) === viewerId);

/** Units that no drop has and that are not lost. */
export const stockOf = (shop: Shop): number =>
  shop.stock -
  sum(Object.values(shop.drops).map((d) => d.allotted + d.restocked - d.writtenOff)) -
  (shop.returnsTo === "none"
    ? sum(Object.keys(shop.drops).map((id) => unitsIn(shop, id, ({ isReturned }) => isReturned)))
    : 0);

/** Claims of a coupon by what has become of them. */
export function claimsOf(
  shop: Shop,
  couponId: string,
  viewerId: string,
): { unused: number; held: number; spent: number } {
  const using = Object.entries(shop.holds).filter(
    ([field, hold]) => viewerOf(field) === viewerId && hold.coupons.includes(couponId),
  );
  const held = using.filter(([, hold]) => hold.state === "held" || hold.state === "paying").length;
  const spent = using.filter(([, hold]) => hold.state === "sold" || hold.isReturned).length;
  return {
    unused: (shop.claims[`${couponId}|${viewerId}`] ?? []).length - held - spent,
    held,
    spent,
  };
}

export const claimsLeft = (shop: Shop, couponId: string): number =>
  couponOf(shop, couponId).budget -
  sum(
    Object.entries(shop.claims).map(([name, keys]) =>
      name.startsWith(`${couponId}|`) ? keys.length : 0,
    ),
  );

export const dropOf = (shop: Shop, dropId: string): Drop => shop.drops[dropId] as Drop;
export const holdOf = (shop: Shop, field: string): Hold => shop.holds[field] as Hold;
export const couponOf = (shop: Shop, id: string): Coupon => shop.coupons[id] as Coupon;
export const paymentOf = (shop: Shop, nth: number): Payment => shop.payments[nth] as Payment;
export const orderId = (nth: number): string => `D${String(nth + 1).padStart(6, "0")}`;

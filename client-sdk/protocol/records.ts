/** The nested records of the wire: product, drop, order, comment. Field order is wire order, and permanent. */
import { flag, oneOf, placeIn, record, text, uint, type ValueOf } from "./fields.ts";
import { CLIENT_LIMITS as LIMITS } from "./limits.ts";

const U32 = uint(0xffff_ffff);
const U53 = uint(Number.MAX_SAFE_INTEGER);

const ROLES = ["viewer", "moderator", "host", "operator"] as const;
export const ROLE = oneOf(...ROLES);

export const PRODUCT = record({
  sku: text(40),
  title: text(120),
  priceCents: U53,
  /** Units that no drop has been given. */
  stock: U32,
  /** http(s) or same-origin picture; empty: none. */
  imageUrl: text(500, 0),
  category: text(40, 0),
});

const DROP_STATE = oneOf("announced", "open", "soldOut", "closed", "voided");

/**
 * Who comes first. fcfs: order of arrival. random: who queued before the start is served in an order drawn from the seed,
 * then order of arrival. lottery: the same draw, and nobody else.
 */
const DROP_MODE = oneOf("fcfs", "random", "lottery");

/**
 * What a buyer must show. open: nothing. token: a pass, asked for before the start (`pass`). proof: a pass that cost a proof of
 * work. flagged: such a pass, but only from those whose behaviour a node finds odd.
 */
const ADMISSION = oneOf("open", "flagged", "token", "proof");

export const DROP = record({
  dropId: text(40),
  sku: text(40),
  title: text(120),
  priceCents: U53,
  /** The product's own price when the drop was made. */
  wasCents: U53,
  allotment: U32,
  perBuyerLimit: uint(99, 1),
  holdMs: U32,
  startsAtMs: U53,
  endsAtMs: U53,
  state: DROP_STATE,
  /** Rises with every movement of this drop's stock. */
  version: U53,
  available: U32,
  held: U32,
  sold: U32,
  /** Rises each time stock comes back to a drop that had none left. */
  restockEpoch: U32,
  mode: DROP_MODE,
  /** SHA-256 of the draw's seed, hex, published before the start; empty for fcfs. */
  seedHash: text(64, 0),
  /** Tickets of the waiting line given so far, and those whose turn has come. */
  waitlisted: U32,
  waitServed: U32,
  admission: ADMISSION,
});

/** What one viewer waits for, holds or bought; ends as sold, expired or cancelled, once. */
export const ORDER = record({
  holdId: text(LIMITS.maxKeyChars),
  dropId: text(40),
  quantity: uint(99, 1),
  state: oneOf(
    "waiting",
    "held",
    "paying",
    "sold",
    "expired",
    "cancelled",
    "paid_late",
    "refunded",
  ),
  deadlineMs: U53,
  amountCents: U53,
  /** Empty until sold. */
  orderId: text(40, 0),
  version: U53,
  /** Place in the waiting line counted from the drop's beginning; 0: never waited. `ticket - waitServed` are ahead, and oneself. */
  ticket: U32,
  /** What coupons took off; `amountCents` is what is left to pay. */
  discountCents: U53,
});

export const COUPON = record({
  couponId: text(40),
  title: text(120),
  offCents: U53,
  /** Least order value before coupons. */
  minSpendCents: U53,
  /** Only for this product; empty: any. */
  sku: text(40, 0),
  perViewerLimit: uint(99, 1),
  startsAtMs: U53,
  endsAtMs: U53,
  /** May be used together with others that may. */
  stacks: flag,
  /** Claims the budget still covers. */
  left: U32,
  version: U53,
});

export const COMMENT = record({
  /** Place in the show's comments: rises by one per accepted comment, on every node the same. */
  no: U53,
  viewerId: text(40),
  name: text(40),
  role: placeIn(...ROLES),
  text: text(LIMITS.maxCommentChars),
  /** How many comments this one stands for: 1, or more where viewers said the same within a second. */
  count: U32,
});

export type Role = ValueOf<typeof ROLE>;
export type Product = ValueOf<typeof PRODUCT>;
export type Drop = ValueOf<typeof DROP>;
export type DropState = ValueOf<typeof DROP_STATE>;
export type Admission = Drop["admission"];
export type Order = ValueOf<typeof ORDER>;
export type OrderState = Order["state"];
export type Coupon = ValueOf<typeof COUPON>;
export type Comment = ValueOf<typeof COMMENT>;

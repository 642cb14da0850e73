/** What Lua packs and this side unpacks: holds and orders (`shop/books.lua`), comments (`room/comment.lua`), claims. */
import { type Comment, COMMENT, type Order, rawOf } from "#wire";

const STATES = {
  w: "waiting",
  h: "held",
  p: "paying",
  s: "sold",
  x: "expired",
  c: "cancelled",
  l: "paid_late",
  r: "refunded",
} as const satisfies Record<string, Order["state"]>;

/** @param field `viewerId|holdId` @param packed `dropId|quantity|state|deadlineMs|amountCents|orderId|version`, or `…|ticket|discountCents|couponIds` */
export function readHold(field: string, packed: string): readonly [viewerId: string, order: Order] {
  const [viewerId, holdId] = field.split("|") as [string, string];
  const [
    dropId,
    quantity,
    state,
    deadlineMs,
    amountCents,
    orderId,
    version,
    ticket = "0",
    discountCents = "0",
  ] = packed.split("|") as [
    string,
    string,
    keyof typeof STATES,
    string,
    string,
    string,
    string,
    string?,
    string?,
  ];
  return [
    viewerId,
    {
      holdId,
      dropId,
      quantity: Number(quantity),
      state: STATES[state],
      deadlineMs: Number(deadlineMs),
      amountCents: Number(amountCents),
      orderId,
      version: Number(version),
      ticket: Number(ticket),
      discountCents: Number(discountCents),
    },
  ];
}

type RawOrder = readonly [
  viewerId: string | readonly string[],
  holdId: string,
  dropId: string,
  quantity: number,
  state: Order["state"],
  deadlineMs: number,
  amountCents: number,
  orderId: string,
  version: number,
  ticket: number,
  discountCents: number,
];

/**
 * A log entry's field O: orders of single viewers. A run of holds that were decided together is one of them, with the list of
 * `viewerId|holdId` in the place of the viewer. Costs one object per order: every node reads all of them in a rush.
 */
export function readOrders(bytes: Uint8Array): (readonly [viewerId: string, order: Order])[] {
  const orders: (readonly [string, Order])[] = [];
  for (const raw of rawOf(bytes) as RawOrder[]) {
    const [viewer, holdId] = raw;
    if (typeof viewer === "string") orders.push([viewer, orderOf(holdId, raw)]);
    else
      for (const field of viewer) {
        const bar = field.indexOf("|");
        orders.push([field.slice(0, bar), orderOf(field.slice(bar + 1), raw)]);
      }
  }
  return orders;
}

const orderOf = (holdId: string, raw: RawOrder): Order => ({
  holdId,
  dropId: raw[2],
  quantity: raw[3],
  state: raw[4],
  deadlineMs: raw[5],
  amountCents: raw[6],
  orderId: raw[7],
  version: raw[8],
  ticket: raw[9],
  discountCents: raw[10],
});

/** Which of its author's commands a comment came with. */
export interface Spoken {
  readonly viewerId: string;
  readonly client: string;
  readonly seq: number;
}

/** A log entry's field V or H: `[atMs, [[no, viewerId, name, role, text, client, seq] …]]`. */
export function readComments(bytes: Uint8Array): {
  readonly atMs: number;
  readonly comments: readonly Comment[];
  readonly spoken: readonly Spoken[];
} {
  const [atMs, raw] = rawOf(bytes) as [number, readonly [...unknown[], string, number][]];
  return {
    atMs,
    comments: raw.map((said) => COMMENT.read?.([...said.slice(0, 5), 1]) as Comment),
    spoken: raw.map((said) => ({
      viewerId: said[1] as string,
      client: said[5] as string,
      seq: said[6] as number,
    })),
  };
}

/** How many unused claims of a coupon a viewer has. */
export interface KeptCoupon {
  readonly couponId: string;
  readonly unused: number;
  readonly version: number;
}

/** A log entry's field C: `[[viewerId, couponId, unused, version] …]`. */
export const readKept = (bytes: Uint8Array): readonly (readonly [string, KeptCoupon])[] =>
  (rawOf(bytes) as [string, string, number, number][]).map(
    ([viewerId, couponId, unused, version]) => [viewerId, { couponId, unused, version }],
  );

/** @param field `couponId|viewerId` @param claims `key=state,…` */
export function readClaims(
  field: string,
  claims: string,
  version: number,
): readonly [string, KeptCoupon] {
  const [couponId, viewerId] = field.split("|") as [string, string];
  return [viewerId, { couponId, unused: claims.split("=u").length - 1, version }];
}

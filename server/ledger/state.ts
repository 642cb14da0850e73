/**
 * The live state of a show in Redis, read in pages, and its differences from a replayed ledger. Each comparison gives the first
 * difference it meets, or undefined.
 */
import type { Redis } from "ioredis";
import { showKeys } from "../redis/keys.ts";
import { readHold } from "../room/entries.ts";
import type { HoldState } from "./kinds.ts";
import { areSameBooks, type Books } from "./movement.ts";
import type { Bad } from "./reason.ts";
import type { Replay, ReplayedHold } from "./replay.ts";

type Order = ReturnType<typeof readHold>[1];

interface PaidOrder {
  readonly orderId: string;
  readonly holdId: string;
  readonly viewerId: string;
  readonly dropId: string;
  readonly quantity: number;
  readonly amountCents: number;
  /** sold; refunding or refunded once its units were returned. */
  readonly state: string;
}

export interface LiveState {
  /** By `viewerId|holdId`. */
  readonly holds: ReadonlyMap<string, Order>;
  readonly orders: readonly PaidOrder[];
  /** Units by `dropId|viewerId`, without zeros. */
  readonly buyers: ReadonlyMap<string, number>;
}

export interface Known {
  /** By `viewerId|holdId`. */
  readonly byField: ReadonlyMap<string, ReplayedHold>;
  /** Those that moved while the state was read. */
  readonly moving: ReadonlySet<string>;
  /** Holds whose viewers were taken out of the ledger. */
  readonly redacted: number;
}

export async function readState(redis: Redis, show: string): Promise<LiveState> {
  const keys = showKeys(show);
  const holds = new Map<string, Order>();
  for (const [field, packed] of await scan(redis, keys.holds)) {
    const [, hold] = readHold(field, packed);
    // Without a deadline it has only been a place in line, which moves no stock.
    if (hold.deadlineMs > 0) holds.set(field, hold);
  }
  const orders = [...(await scan(redis, keys.orders)).values()];
  // `dropId|viewerId|w` is a buyer's place in line.
  const buyers = [...(await scan(redis, keys.buyers))]
    .filter(([buyer]) => !buyer.endsWith("|w"))
    .map(([buyer, units]) => [buyer, Number(units)] as const);
  return {
    holds,
    orders: orders.map((json) => JSON.parse(json) as PaidOrder),
    buyers: new Map(buyers.filter(([, units]) => units !== 0)),
  };
}

/** A hash, a page at a time; a field may come twice. */
async function scan(redis: Redis, key: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  let cursor = "0";
  do {
    const [next, pairs] = await redis.hscan(key, cursor, "COUNT", 1000);
    for (let i = 0; i < pairs.length; i += 2) found.set(pairs[i] as string, pairs[i + 1] as string);
    cursor = next;
  } while (cursor !== "0");
  return found;
}

/** All drops' books and the number of the movement after which they were so: one moment. */
export async function readBooks(
  redis: Redis,
  show: string,
): Promise<{ readonly no: number; readonly drops: ReadonlyMap<string, Books> }> {
  const { meta, drops } = showKeys(show);
  const replies = (await redis.multi().hget(meta, "ledgerNo").hgetall(drops).exec()) ?? [];
  for (const [error] of replies) if (error !== null) throw error;
  const [no, stored] = replies.map(([, reply]) => reply) as [
    string | null,
    Readonly<Record<string, string>>,
  ];
  return {
    no: Number(no ?? 0),
    drops: new Map(
      Object.entries(stored).map(([dropId, json]) => {
        const { allotment, ...books } = JSON.parse(json) as Books & { readonly allotment: number };
        return [dropId, { ...books, allotted: allotment }];
      }),
    ),
  };
}

export function compareDrops(live: ReadonlyMap<string, Books>, replay: Replay): Bad | undefined {
  for (const [dropId, { books }] of replay.drops) {
    const now = live.get(dropId);
    if (now === undefined || !areSameBooks(now, books))
      return different(`drop ${dropId}`, `抢购 ${dropId}`);
  }
  const more = [...live.keys()].find((dropId) => !replay.drops.has(dropId));
  return more === undefined ? undefined : unaccounted(`drop ${more}`, `抢购 ${more}`);
}

/** What the ledger says of a hold, by its state in Redis: payment has states of its own, that move no stock. */
const REPLAYED: Readonly<Record<Order["state"], readonly HoldState[]>> = {
  waiting: [],
  held: ["held"],
  paying: ["held"],
  sold: ["sold", "returned"],
  expired: ["expired"],
  cancelled: ["cancelled"],
  paid_late: ["expired", "cancelled"],
  refunded: ["expired", "cancelled", "returned"],
};

/** Holds for which there is an order. */
const PAID: readonly HoldState[] = ["sold", "returned"];

export function compareHolds({ holds }: LiveState, known: Known): Bad | undefined {
  for (const [field, hold] of known.byField) {
    const live = holds.get(field);
    if (known.moving.has(field)) continue;
    const isSame =
      live !== undefined &&
      live.dropId === hold.dropId &&
      live.quantity === hold.quantity &&
      REPLAYED[live.state].includes(hold.state);
    if (!isSame) return { ...different(`hold ${field}`, `保留 ${field}`), no: hold.lastNo };
  }
  const isMore = holds.size > known.byField.size + known.redacted;
  const more = isMore ? [...holds.keys()].find((field) => !known.byField.has(field)) : undefined;
  return more === undefined ? undefined : unaccounted(`hold ${more}`, `保留 ${more}`);
}

/** What the per-buyer limit counts. Buyers with a moving or a redacted hold are left out. */
export function compareBuyers({ buyers }: LiveState, known: Known): Bad | undefined {
  if (known.redacted > 0) return undefined;
  const due = new Map<string, number>();
  const leftOut = new Set<string>();
  for (const [field, { dropId, viewerId, quantity, state }] of known.byField) {
    const buyer = `${dropId}|${viewerId}`;
    if (known.moving.has(field)) leftOut.add(buyer);
    if (state === "held" || state === "sold") due.set(buyer, (due.get(buyer) ?? 0) + quantity);
  }
  for (const buyer of new Set([...due.keys(), ...buyers.keys()]))
    if (!leftOut.has(buyer) && due.get(buyer) !== buyers.get(buyer))
      return different(`the units of buyer ${buyer}`, `买家 ${buyer} 的件数`);
  return undefined;
}

export function compareOrders({ orders }: LiveState, known: Known): Bad | undefined {
  const { byField, moving, redacted } = known;
  const paid = new Set<string>();
  for (const order of orders) {
    const field = `${order.viewerId}|${order.holdId}`;
    const hold = byField.get(field);
    if (moving.has(field) || (hold === undefined && redacted > 0)) continue;
    if (hold === undefined || !isOrderOf(hold, order) || paid.has(field))
      return different(`order ${order.orderId}`, `订单 ${order.orderId}`);
    paid.add(field);
  }
  for (const [field, { state, lastNo }] of byField)
    if (PAID.includes(state) && !paid.has(field) && !moving.has(field))
      return { ...different(`the order of hold ${field}`, `保留 ${field} 的订单`), no: lastNo };
  return undefined;
}

const isOrderOf = (hold: ReplayedHold, order: PaidOrder): boolean =>
  PAID.includes(hold.state) &&
  (hold.state === "sold") === (order.state === "sold") &&
  hold.dropId === order.dropId &&
  hold.quantity === order.quantity &&
  hold.cents === order.amountCents;

const different = (en: string, zh: string): Bad => ({
  en: `${en} is not in Redis what the ledger makes it [I6]`,
  zh: `${zh} 在 Redis 中与账本不一致 [I6]`,
});

const unaccounted = (en: string, zh: string): Bad => ({
  en: `${en} is in Redis, but not in the ledger [I6]`,
  zh: `${zh} 在 Redis 中，但不在账本中 [I6]`,
});

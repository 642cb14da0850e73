/** Which drop the page shows, and what its button can truly say. Pure: the same input, the same words. */
import type { Connection, Drop, Order } from "#sdk";

/** How long a drop stays on the page after its end. */
const AFTERGLOW_MS = 60_000;
/** A start this near is more urgent than what has sold out. */
const CLOSE_MS = 60_000;

const isOpenOrder = (order: Order): boolean => order.state === "held" || order.state === "paying";

/** Own running hold first, then what is open, then what comes next, then what has just ended. */
export function dropOnShow(
  drops: ReadonlyMap<string, Drop>,
  orders: ReadonlyMap<string, Order>,
  nowMs: number,
): Drop | undefined {
  const held = new Set([...orders.values()].filter(isOpenOrder).map((order) => order.dropId));
  let best: Drop | undefined;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const drop of drops.values()) {
    const rank = held.has(drop.dropId) ? 0 : rankOf(drop, nowMs);
    const better =
      rank < bestRank || (rank === bestRank && best !== undefined && isSooner(drop, best, nowMs));
    if (rank !== Number.POSITIVE_INFINITY && better) {
      best = drop;
      bestRank = rank;
    }
  }
  return best;
}

/** A sold out drop stays on the page until its end, or until the next one is close. */
function rankOf(drop: Drop, nowMs: number): number {
  switch (drop.state) {
    case "open":
      return drop.available > 0 ? 1 : 3;
    case "announced":
      return drop.startsAtMs - nowMs < CLOSE_MS ? 2 : 4;
    case "soldOut":
      return 3;
    case "closed":
    case "voided":
      return nowMs - drop.endsAtMs < AFTERGLOW_MS ? 5 : Number.POSITIVE_INFINITY;
  }
}

/** What is yet to start: the nearest; else the newest. */
const isSooner = (a: Drop, b: Drop, nowMs: number): boolean =>
  a.startsAtMs > nowMs || b.startsAtMs > nowMs
    ? a.startsAtMs < b.startsAtMs
    : a.startsAtMs > b.startsAtMs;

export type Offer =
  | { readonly kind: "offline" | "buy" | "asking" | "bought" | "soldOut" | "over" }
  /** A place in line: after sold out, or in the draw before a start. */
  | { readonly kind: "waitlist" | "draw" }
  | { readonly kind: "inLine"; readonly order: Order; readonly ahead: number }
  | { readonly kind: "soon"; readonly leftMs: number }
  | { readonly kind: "held"; readonly order: Order; readonly leftMs: number }
  | { readonly kind: "paying"; readonly order: Order };

export interface Circumstances {
  readonly nowMs: number;
  readonly connection: Connection;
  readonly orders: ReadonlyMap<string, Order>;
  /** The drop for which an answer is awaited. */
  readonly askingDropId: string | undefined;
}

/** What the buy button offers at this moment: own hold first, then what the sale allows. */
export function offerOf(drop: Drop, now: Circumstances): Offer {
  if (now.askingDropId === drop.dropId) return { kind: "asking" };
  return runningOffer(drop, now) ?? saleOffer(drop, now);
}

function runningOffer(drop: Drop, { nowMs, orders }: Circumstances): Offer | undefined {
  const own = [...orders.values()].filter((order) => order.dropId === drop.dropId);
  const running = own.find(isOpenOrder) ?? own.find((order) => order.state === "waiting");
  if (running === undefined) return undefined;
  if (running.state === "paying") return { kind: "paying", order: running };
  if (running.state === "waiting")
    return { kind: "inLine", order: running, ahead: aheadOf(running, drop) };
  if (running.deadlineMs <= nowMs) return undefined;
  return { kind: "held", order: running, leftMs: running.deadlineMs - nowMs };
}

const isOver = (drop: Drop, nowMs: number): boolean =>
  drop.state === "closed" || drop.state === "voided" || nowMs >= drop.endsAtMs;

function saleOffer(drop: Drop, { nowMs, connection, orders }: Circumstances): Offer {
  if (isOver(drop, nowMs)) return { kind: "over" };
  if (unitsLeftForMe(drop, orders) === 0) return { kind: "bought" };
  if (connection !== "live") return { kind: "offline" };
  const isDrawn = drop.mode !== "fcfs";
  if (drop.state === "announced" && nowMs < drop.startsAtMs)
    return isDrawn ? { kind: "draw" } : { kind: "soon", leftMs: drop.startsAtMs - nowMs };
  if (drop.state === "soldOut") return { kind: drop.mode === "lottery" ? "soldOut" : "waitlist" };
  return drop.available === 0 ? { kind: "soldOut" } : { kind: "buy" };
}

/** How many more this viewer may take. */
export function unitsLeftForMe(drop: Drop, orders: ReadonlyMap<string, Order>): number {
  let mine = 0;
  for (const order of orders.values()) {
    if (order.dropId === drop.dropId && (isOpenOrder(order) || order.state === "sold"))
      mine += order.quantity;
  }
  return Math.max(0, drop.perBuyerLimit - mine);
}

/** The newest order of this viewer in a drop. */
export const orderIn = (drop: Drop, orders: ReadonlyMap<string, Order>): Order | undefined =>
  [...orders.values()].findLast((order) => order.dropId === drop.dropId);

/** How many are before this one in the waiting line. */
export const aheadOf = (order: Order, drop: Drop): number =>
  Math.max(0, order.ticket - drop.waitServed - 1);

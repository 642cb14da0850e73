/** How units move: the clock, the line, and holds that end. For the model's rules; see rules.ts. */
import {
  availableIn,
  boughtBy,
  claimsOf,
  couponOf,
  type Drop,
  dropOf,
  holdOf,
  isOver,
  type Shop,
  sum,
  type Timed,
  viewerOf,
} from "./shop.ts";

const OFFER_MS = 60_000;

const waitsForDraw = ({ mode, isDrawn }: Drop): boolean => mode !== "fcfs" && !isDrawn;

/** The clock has something to open or to close. */
export const isDue = (drop: Drop, nowMs: number): boolean =>
  (drop.state === "announced" && nowMs >= drop.startsAtMs && !waitsForDraw(drop)) ||
  (!isOver(drop) && nowMs >= drop.endsAtMs);

/** The clock opens and closes: at the latest when somebody's answer depends on it. */
export function turn(shop: Shop, dropId: string, nowMs: number): void {
  const drop = dropOf(shop, dropId);
  if (drop.state === "announced" && nowMs >= drop.startsAtMs && !waitsForDraw(drop))
    drop.state = availableIn(shop, dropId) > 0 ? "open" : "soldOut";
  if (!isOver(drop) && nowMs >= drop.endsAtMs) end(shop, dropId, "closed");
}

export function end(shop: Shop, dropId: string, state: "closed" | "voided"): void {
  const drop = dropOf(shop, dropId);
  drop.writtenOff += availableIn(shop, dropId);
  drop.state = state;
}

export function giveDeadline(timed: Timed, field: string, untilMs: number): number {
  timed.lastMs = Math.max(timed.lastMs, untilMs);
  timed.fields.push(field);
  return timed.lastMs;
}

/** Units are there: the line first, then everybody, unless it was a lottery. */
export function reopen(shop: Shop, dropId: string, nowMs: number): void {
  const drop = dropOf(shop, dropId);
  serveLine(shop, dropId, nowMs, Math.min(drop.holdMs, OFFER_MS));
  const { state, served, line, mode } = drop;
  if (state !== "soldOut" || served < line.length || availableIn(shop, dropId) === 0) return;
  if (mode === "lottery") return;
  drop.state = "open";
  drop.epoch++;
}

/** Offers in order; a place whose viewer has had enough meanwhile lapses. */
export function serveLine(shop: Shop, dropId: string, nowMs: number, offerMs: number): void {
  const drop = dropOf(shop, dropId);
  while (drop.served < drop.line.length && availableIn(shop, dropId) > 0) {
    const field = drop.line[drop.served] as string;
    const hold = holdOf(shop, field);
    if (hold.state === "waiting" && hold.quantity > availableIn(shop, dropId)) break;
    drop.served++;
    if (hold.state !== "waiting") continue;
    if (boughtBy(shop, dropId, viewerOf(field)) + hold.quantity > drop.limit) {
      hold.state = "expired";
      continue;
    }
    hold.state = "held";
    hold.cents = shop.priceCents * hold.quantity;
    hold.deadlineMs = giveDeadline(drop.offers, field, nowMs + offerMs);
  }
}

/** A hold ends without a sale. */
export function giveBack(
  shop: Shop,
  field: string,
  state: "expired" | "cancelled",
  nowMs: number,
): void {
  const hold = holdOf(shop, field);
  const drop = dropOf(shop, hold.dropId);
  hold.state = state;
  if (isOver(drop)) drop.writtenOff += hold.quantity;
  else reopen(shop, hold.dropId, nowMs);
}

export function noteSoldOut(shop: Shop, dropId: string): void {
  const drop = dropOf(shop, dropId);
  if (drop.state === "open" && availableIn(shop, dropId) === 0) drop.state = "soldOut";
}

/** Past its deadline a hold has ended, whether or not anybody has looked. */
export function lapse(shop: Shop, field: string, nowMs: number): void {
  const hold = holdOf(shop, field);
  if (hold.state !== "held" || nowMs < hold.deadlineMs) return;
  turn(shop, hold.dropId, nowMs);
  giveBack(shop, field, "expired", nowMs);
}

/** What the coupons of a hold take off; undefined: they do not apply. */
export function discount(
  shop: Shop,
  {
    viewerId,
    quantity,
    coupons,
  }: { viewerId: string; quantity: number; coupons: readonly string[] },
  nowMs: number,
): number | undefined {
  const cents = shop.priceCents * quantity;
  const apply = coupons.every((id) => {
    const coupon = shop.coupons[id];
    return (
      coupon !== undefined &&
      nowMs < coupon.endsAtMs &&
      cents >= coupon.minSpendCents &&
      (coupon.stacks || coupons.length === 1) &&
      claimsOf(shop, id, viewerId).unused > 0
    );
  });
  const offCents = sum(coupons.map((id) => couponOf(shop, id).offCents));
  return apply ? Math.min(cents, offCents) : undefined;
}

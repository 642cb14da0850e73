/** What can be done to the shop in one step: a batch of requests, the host's deeds, the sweep. Part of the model; see rules.ts. */
import { draw } from "./draw.ts";
import { end, giveBack, reopen, turn } from "./moves.ts";
import {
  type Answer,
  availableIn,
  type Deed,
  dropOf,
  holdOf,
  isOver,
  type Request,
  type Shop,
  stockOf,
} from "./shop.ts";
import { decideAll } from "./taps.ts";

const GRACE_MS = 60_000;

function takeBack(shop: Shop, nth: number, nowMs: number): Answer {
  const order = shop.orders[nth];
  if (order === undefined) return ["unknown"];
  if (order.state !== "sold") return [order.state];
  const hold = holdOf(shop, order.field);
  const drop = dropOf(shop, hold.dropId);
  turn(shop, hold.dropId, nowMs);
  hold.isReturned = true;
  if (shop.returnsTo !== "drop" || isOver(drop)) drop.writtenOff += hold.quantity;
  else reopen(shop, hold.dropId, nowMs);
  order.state = "refunding";
  order.refund =
    shop.payments.push({
      what: "refund",
      field: order.field,
      cents: hold.cents,
      of: order.charge,
      isDone: false,
    }) - 1;
  return ["refunding"];
}

function restock(shop: Shop, dropId: string, units: number, nowMs: number): Answer {
  const drop = dropOf(shop, dropId);
  turn(shop, dropId, nowMs);
  if (isOver(drop)) return ["closed", 0];
  if (stockOf(shop) < units) return ["shortStock", stockOf(shop)];
  drop.restocked += units;
  if (drop.state === "soldOut") reopen(shop, dropId, nowMs);
  return ["restocked", availableIn(shop, dropId)];
}

function voidDrop(shop: Shop, dropId: string, nowMs: number): Answer {
  const drop = dropOf(shop, dropId);
  turn(shop, dropId, nowMs);
  if (drop.state !== "voided") {
    drop.endsAtMs = Math.min(drop.endsAtMs, nowMs);
    end(shop, dropId, "voided");
  }
  for (const timed of [drop.holds, drop.offers])
    for (const field of timed.fields.splice(0)) {
      const { state } = holdOf(shop, field);
      if (state === "held") giveBack(shop, field, "cancelled", nowMs);
      else if (state === "paying") shop.overdue[field] = nowMs + GRACE_MS;
    }
  return ["voided"];
}

/** Says which drops wait for their draw. */
function sweep(shop: Shop, nowMs: number): Answer {
  const due = Object.entries(shop.overdue).filter(([, atMs]) => atMs <= nowMs);
  for (const [field] of due.sort(([a, aMs], [b, bMs]) => aMs - bMs || (a < b ? -1 : 1))) {
    delete shop.overdue[field];
    if (holdOf(shop, field).state !== "paying") continue;
    turn(shop, holdOf(shop, field).dropId, nowMs);
    giveBack(shop, field, "expired", nowMs);
  }
  for (const [dropId, drop] of Object.entries(shop.drops)) {
    turn(shop, dropId, nowMs);
    for (const timed of [drop.holds, drop.offers]) {
      const upTo = timed.fields.findIndex((field) => holdOf(shop, field).deadlineMs > nowMs);
      for (const field of timed.fields.splice(0, upTo < 0 ? timed.fields.length : upTo)) {
        const hold = holdOf(shop, field);
        if (hold.state === "held") giveBack(shop, field, "expired", nowMs);
        else if (hold.state === "paying") shop.overdue[field] = hold.deadlineMs + GRACE_MS;
      }
    }
    if (isOver(drop))
      for (const field of drop.line.slice(drop.served)) {
        const hold = holdOf(shop, field);
        if (hold.state === "waiting") hold.state = "expired";
      }
  }
  const draws = Object.entries(shop.drops).filter(
    ([, { state, startsAtMs }]) => state === "announced" && nowMs >= startsAtMs,
  );
  return ["swept", ...draws.map(([dropId]) => dropId)];
}

/** A transaction is its calls, one after the other. */
function callsOf({
  requests,
  perCall = requests.length,
}: Extract<Deed, { what: "batch" }>): readonly (readonly Request[])[] {
  const calls: (readonly Request[])[] = [];
  for (let i = 0; i < requests.length; i += perCall) calls.push(requests.slice(i, i + perCall));
  return calls;
}

/** One atomic step. @returns an answer per request of a batch; else one */
export function act(shop: Shop, deed: Deed, nowMs: number): readonly Answer[] {
  switch (deed.what) {
    case "batch":
      return callsOf(deed).flatMap((requests) => decideAll(shop, requests, nowMs));
    case "restock":
      return [restock(shop, deed.dropId, deed.units, nowMs)];
    case "close": {
      const drop = dropOf(shop, deed.dropId);
      if (!isOver(drop)) drop.endsAtMs = Math.min(drop.endsAtMs, nowMs);
      turn(shop, deed.dropId, nowMs);
      return [["closed"]];
    }
    case "draw":
      return [draw(shop, deed.dropId, nowMs)];
    case "void":
      return [voidDrop(shop, deed.dropId, nowMs)];
    case "takeBack":
      return [takeBack(shop, deed.order, nowMs)];
    case "sweep":
      return [sweep(shop, nowMs)];
  }
}

/**
 * The shop as a single thread would keep it: what each request is answered, and what it changes. No line of the server's code is used here.
 * Time is an argument. The order of the checks in `hold` is the order in which a buyer is told "no". [I1–I5 I8 I9 F2–F6 F8 F10]
 */
import { discount, giveBack, giveDeadline, lapse, noteSoldOut, reopen, turn } from "./moves.ts";
import {
  type Admitted,
  type Answer,
  availableIn,
  boughtBy,
  claimsLeft,
  claimsOf,
  type Drop,
  dropOf,
  holdOf,
  isOver,
  orderId,
  paymentOf,
  type Request,
  type Shop,
  viewerOf,
} from "./shop.ts";

const NEW_HOLD = {
  deadlineMs: 0,
  cents: 0,
  offCents: 0,
  coupons: [],
  orderId: "",
  ticket: 0,
  isReturned: false,
  flags: "",
};

/** Each admits to what stands before it, too. */
const ADMISSIONS = ["open", "flagged", "token", "proof"] as const satisfies Drop["admission"][];
const lacksPass = ({ admission }: Drop, { level }: Admitted): boolean =>
  ADMISSIONS.indexOf(admission) > level;
const NOT_ADMITTED: Admitted = { level: 0, flags: "" };

/** Nor are there any for a tap that its buyer was told is refused: it does not come true behind its back. */
const lacksUnits = (
  shop: Shop,
  { dropId, quantity, restockEpoch = Infinity }: Extract<Request, { what: "hold" }>,
): boolean => restockEpoch < dropOf(shop, dropId).epoch || availableIn(shop, dropId) < quantity;

type Rules = {
  readonly [W in Request["what"]]: (
    shop: Shop,
    request: Extract<Request, { what: W }>,
    nowMs: number,
  ) => Answer;
};

const RULES: Rules = {
  hold(shop, wanted, nowMs) {
    const { viewerId, key, dropId, quantity, coupons, admitted = NOT_ADMITTED } = wanted;
    const field = `${viewerId}|${key}`;
    const known = shop.holds[field];
    if (known !== undefined)
      return known.deadlineMs === 0 ? ["soldOut", 0] : ["held", known.deadlineMs, known.quantity];
    const drop = shop.drops[dropId];
    if (drop === undefined) return ["unknown"];
    turn(shop, dropId, nowMs);
    if (drop.state === "announced") return ["notOpen", drop.startsAtMs];
    if (isOver(drop)) return ["closed"];
    if (drop.state === "soldOut") return ["soldOut", drop.epoch];
    if (lacksPass(drop, admitted)) return ["pass"];
    if (lacksUnits(shop, wanted)) return ["soldOut", drop.epoch];
    if (boughtBy(shop, dropId, viewerId) + quantity > drop.limit) return ["limit", drop.limit];
    const fullCents = shop.priceCents * quantity;
    const offCents = discount(shop, { viewerId, quantity, coupons }, nowMs);
    if (offCents === undefined) return ["coupon"];
    const deadlineMs = giveDeadline(drop.holds, field, nowMs + drop.holdMs);
    shop.holds[field] = {
      ...NEW_HOLD,
      dropId,
      quantity,
      state: "held",
      deadlineMs,
      cents: fullCents - offCents,
      offCents,
      coupons,
      flags: admitted.flags,
    };
    noteSoldOut(shop, dropId);
    return ["held", deadlineMs, quantity];
  },
  wait(shop, { viewerId, key, dropId, quantity, admitted = NOT_ADMITTED }, nowMs) {
    const field = `${viewerId}|${key}`;
    const drop = shop.drops[dropId];
    if (drop === undefined) return ["unknown"];
    const known = shop.holds[field];
    if (known !== undefined)
      return ["waiting", known.ticket, Math.max(0, known.ticket - drop.served - 1)];
    turn(shop, dropId, nowMs);
    if (isOver(drop)) return ["closed"];
    const no = noPlace(drop, nowMs);
    if (no !== undefined) return [no];
    if (lacksPass(drop, admitted)) return ["pass"];
    if (boughtBy(shop, dropId, viewerId) + quantity > drop.limit) return ["limit"];
    const isInLine = drop.line.some(
      (f) => viewerOf(f) === viewerId && holdOf(shop, f).state === "waiting",
    );
    if (isInLine) return ["limit"];
    const ticket = drop.line.push(field);
    const { flags } = admitted;
    shop.holds[field] = { ...NEW_HOLD, dropId, quantity, state: "waiting", ticket, flags };
    return ["waiting", ticket, ticket - drop.served - 1];
  },
  claim(shop, { viewerId, key, couponId }, nowMs) {
    const coupon = shop.coupons[couponId];
    if (coupon === undefined) return ["unknown"];
    const mine = (shop.claims[`${couponId}|${viewerId}`] ??= []);
    if (mine.includes(key)) return ["granted"];
    if (nowMs >= coupon.endsAtMs) return ["ended"];
    if (mine.length >= coupon.limit) return ["limit"];
    if (claimsLeft(shop, couponId) < 1) return ["gone"];
    mine.push(key);
    return ["granted"];
  },
  pay(shop, { viewerId, key }, nowMs) {
    const field = `${viewerId}|${key}`;
    const hold = shop.holds[field];
    if (hold === undefined || hold.state === "waiting") return ["notHeld"];
    lapse(shop, field, nowMs);
    if (hold.state === "held") {
      hold.state = "paying";
      shop.payments.push({ what: "charge", field, cents: hold.cents, of: -1, isDone: false });
    }
    const word = hold.state === "paid_late" || hold.state === "refunded" ? "expired" : hold.state;
    return [word, hold.orderId];
  },
  cancel(shop, { viewerId, key }, nowMs) {
    const field = `${viewerId}|${key}`;
    const hold = shop.holds[field];
    if (hold === undefined) return ["notHeld"];
    lapse(shop, field, nowMs);
    if (hold.state === "held") {
      turn(shop, hold.dropId, nowMs);
      giveBack(shop, field, "cancelled", nowMs);
    }
    if (hold.state === "waiting") {
      hold.state = "cancelled";
      turn(shop, hold.dropId, nowMs);
      if (dropOf(shop, hold.dropId).state === "soldOut") reopen(shop, hold.dropId, nowMs);
    }
    return [hold.state === "paid_late" || hold.state === "refunded" ? "expired" : hold.state];
  },
  settle(shop, { payment }, nowMs) {
    const { field } = paymentOf(shop, payment);
    const hold = holdOf(shop, field);
    if (isOldWord(shop, payment)) return [hold.state, hold.orderId];
    if (dropOf(shop, hold.dropId).state === "voided" && hold.state === "paying")
      giveBack(shop, field, "expired", nowMs);
    if (hold.state === "expired" || hold.state === "cancelled") payLate(shop, payment, nowMs);
    if (hold.state === "paying" || hold.state === "held") {
      hold.state = "sold";
      const orders = shop.orders.push({ field, state: "sold", charge: payment, refund: -1 });
      hold.orderId = orderId(orders - 1);
      delete shop.overdue[field];
    }
    return [hold.state, hold.orderId];
  },
  decline(shop, { payment }, nowMs) {
    const { field } = paymentOf(shop, payment);
    const hold = holdOf(shop, field);
    if (isOldWord(shop, payment)) return [hold.state, hold.orderId];
    if (hold.state === "paying") {
      const isGivenUp = field in shop.overdue || nowMs >= hold.deadlineMs;
      delete shop.overdue[field];
      hold.state = "held";
      if (isGivenUp) {
        turn(shop, hold.dropId, nowMs);
        giveBack(shop, field, "expired", nowMs);
      }
    }
    return [hold.state];
  },
  refund(shop, { payment }) {
    const { field } = paymentOf(shop, payment);
    const hold = holdOf(shop, field);
    if (isOldWord(shop, payment)) return [hold.state, hold.orderId];
    const order = shop.orders.find((o) => o.refund === payment);
    if (order !== undefined) order.state = "refunded";
    if (order !== undefined || hold.state === "paid_late") hold.state = "refunded";
    return [hold.state];
  },
};

/** Of a drawn drop the entrants queue before the start; after a lottery's draw there is nothing to wait for. */
function noPlace({ mode, isDrawn, state, startsAtMs }: Drop, nowMs: number): string | undefined {
  if (mode !== "fcfs" && !isDrawn) return nowMs < startsAtMs ? undefined : "tooLate";
  if (mode === "lottery") return "tooLate";
  return state === "soldOut" ? undefined : "notNeeded";
}

/** Money that comes too late takes the units again, if they and the coupons are still there; else it goes back. */
function payLate(shop: Shop, payment: number, nowMs: number): void {
  const { field } = paymentOf(shop, payment);
  const hold = holdOf(shop, field);
  const { dropId, quantity, coupons } = hold;
  const viewerId = viewerOf(field);
  turn(shop, dropId, nowMs);
  const fits =
    dropOf(shop, dropId).state === "open" &&
    availableIn(shop, dropId) >= quantity &&
    boughtBy(shop, dropId, viewerId) + quantity <= dropOf(shop, dropId).limit &&
    coupons.every((id) => claimsOf(shop, id, viewerId).unused > 0);
  hold.state = fits ? "paying" : "paid_late";
  if (fits) noteSoldOut(shop, dropId);
  else shop.payments.push({ what: "refund", field, cents: hold.cents, of: payment, isDone: false });
}

/** Only the first word about a payment counts. */
function isOldWord(shop: Shop, payment: number): boolean {
  const told = paymentOf(shop, payment);
  const isOld = told.isDone;
  told.isDone = true;
  return isOld;
}

export function decide(shop: Shop, request: Request, nowMs: number): Answer {
  const answer = RULES[request.what](shop, request as never, nowMs);
  return isOfReplicas(shop, request) ? [...answer, "replica"] : answer;
}

/** Is it about a hold that replicas must have before anybody is told? A claim is about none, whatever its key. */
function isOfReplicas(shop: Shop, request: Request): boolean {
  if (request.what === "claim") return false;
  const field =
    "payment" in request
      ? paymentOf(shop, request.payment).field
      : `${request.viewerId}|${request.key}`;
  const hold = shop.holds[field];
  return hold !== undefined && dropOf(shop, hold.dropId).isReplica;
}

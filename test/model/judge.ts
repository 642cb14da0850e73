/**
 * Judges a show by nothing but what its clients saw: what they asked and were answered, and every frame that reached them. Knows the terms
 * that everybody was shown, and how many units the host was told there are. No model and no look into Redis. [I2–I5 I7–I9, lane S]
 */
import { type DownFrame, offsetOf, type Order } from "#wire";
import { answers } from "./answers.ts";
import { drawnStart, line } from "./fairness.ts";
import {
  after,
  fieldOf,
  grouped,
  HAS_UNITS,
  type History,
  type Known,
  lastOf,
  ordersOf,
  takenBack,
} from "./orders.ts";

/** What may come after what, in one step or over steps that a client did not see. */
const ENDS = ["sold", "expired", "cancelled", "paid_late", "refunded"];
const AFTER: Readonly<Record<Order["state"], readonly string[]>> = {
  waiting: ["waiting", "held", "paying", ...ENDS],
  held: ["held", "paying", ...ENDS],
  paying: ["held", "paying", ...ENDS],
  // Late money may take the units again.
  expired: ["sold", "paid_late", "refunded"],
  cancelled: ["sold", "paid_late", "refunded"],
  sold: ["refunded"],
  paid_late: ["refunded"],
  refunded: [],
};

/** @returns every breach, one sentence each, with the rule that it breaks */
export function judge(history: History): readonly string[] {
  const orders = ordersOf(history.dropId, history.saw);
  return [
    ...answers(history),
    ...orderOfEvents(history),
    ...stock(history),
    ...agreement(history),
    ...lives(orders),
    ...money(history, orders),
    ...units(history, orders),
    ...line(orders),
    ...drawnStart(history, orders),
    ...returned(history, orders),
    ...times(history, orders),
  ];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** On each connection every event after the one before; and what a tab resumes with joins on to what it had seen. */
function orderOfEvents({ saw }: History): string[] {
  const at = new Map<string, number>();
  const newest = new Map<string, number>();
  const resumed = new Set<string>();
  const see = (client: string, tab: string, offset: number): void => {
    at.set(client, offset);
    newest.set(tab, Math.max(offset, newest.get(tab) ?? 0));
  };
  const join = (client: string, tab: string, offset: number): string[] => {
    const seenTo = Math.max(at.get(client) ?? 0, newest.get(tab) ?? 0);
    see(client, tab, offset);
    // A snapshot may stand for what was not seen; a catch-up has brought it.
    return resumed.has(client) && offset > seenTo
      ? [`[I7] ${client} resumed at ${offset}, but saw events up to ${seenTo}`]
      : [];
  };
  const next = (client: string, tab: string, offset: number): string[] => {
    const last = at.get(client);
    const due = (last ?? newest.get(tab) ?? 0) + 1;
    see(client, tab, offset);
    return offset === due || (last === undefined && offset < due)
      ? []
      : [`[I7] ${client} saw event ${offset} where ${due} was due`];
  };
  return saw.flatMap(({ client, tab, ...one }) => {
    if (one.what !== "frame") return [];
    const { frame } = one;
    if (frame.kind === "welcome" && frame.resumed) resumed.add(client);
    if (frame.kind === "joined") return join(client, tab, frame.offset);
    const offset = eventOf(frame);
    return offset === undefined ? [] : next(client, tab, offset);
  });
}

const eventOf = (frame: DownFrame): number | undefined =>
  frame.kind === "joined" || frame.kind === "welcome" ? undefined : offsetOf(frame);

function stock({ dropId, units: most, saw }: History): string[] {
  const last = new Map<string, number>();
  return saw.flatMap(({ client, ...one }) => {
    if (one.what !== "frame" || one.frame.kind !== "stockChanged") return [];
    const { version, available, held, sold, dropId: of } = one.frame;
    if (of !== dropId) return [];
    const before = last.get(client) ?? -1;
    last.set(client, version);
    return [
      ...(version >= before ? [] : [`[S] ${client} saw stock ${version} after ${before}`]),
      ...(available + held + sold <= most ? [] : [`[I2] stock ${version} has more than ${most}`]),
    ];
  });
}

/** What must look the same wherever it is seen: an event, a version of the stock or of one's own order. */
function nameOf(viewerId: string, frame: DownFrame): string | undefined {
  if (frame.kind === "stockChanged") return `stock ${frame.dropId} ${frame.version}`;
  if (frame.kind === "orderChanged") return `order ${viewerId} ${frame.holdId} ${frame.version}`;
  const offset = eventOf(frame);
  return offset === undefined ? undefined : `event ${offset}`;
}

function agreement({ saw }: History): string[] {
  const first = new Map<string, string>();
  return saw.flatMap((one) => {
    if (one.what !== "frame") return [];
    const { frame } = one;
    const name = nameOf(one.viewerId, frame);
    if (name === undefined) return [];
    const told = JSON.stringify(frame);
    if (!first.has(name)) first.set(name, told);
    return first.get(name) === told ? [] : [`[I10] ${name} is not the same for ${one.client}`];
  });
}

function lives(orders: readonly Known[]): string[] {
  return [...grouped(orders, fieldOf)].flatMap(([field, all]) =>
    all.flatMap((order, i) => {
      const before = all[i - 1];
      if (before === undefined || AFTER[before.state].includes(order.state)) return [];
      return [`[I5] ${field} went from ${before.state} to ${order.state}`];
    }),
  );
}

function money(history: History, orders: readonly Known[]): string[] {
  const { priceCents, couponBudgetCents, takingsCents } = history;
  const faults: string[] = [];
  const kept = [...lastOf(orders).values()].filter(({ state }) => state === "sold");
  const paidCents = sum(kept.map(({ amountCents }) => amountCents));
  if (paidCents !== takingsCents)
    faults.push(`[I8] orders of ${paidCents} stand, but ${takingsCents} were paid and kept`);
  for (const { holdId, state, quantity, amountCents, discountCents } of orders)
    if (HAS_UNITS.includes(state) && amountCents + discountCents !== priceCents * quantity)
      faults.push(`[I8] ${holdId}: ${amountCents} and ${discountCents} off are not the price`);
  for (const now of after(orders)) {
    const open = [...now.values()].filter((o) => HAS_UNITS.includes(o.state));
    if (sum(open.map((o) => o.discountCents)) > couponBudgetCents)
      faults.push("[I8] coupons take off more than their budget");
    const ids = open.flatMap((o) => (o.state === "sold" ? [o.orderId] : []));
    if (new Set(ids).size < ids.length) faults.push("[I8] two orders have one number");
  }
  return faults;
}

const count = (some: readonly Known[]): number => sum(some.map((o) => o.quantity));

function units({ units: most, limit, saw }: History, orders: readonly Known[]): string[] {
  const faults: string[] = [];
  // Its buyer is not told when the units of a sold order go back, only when the money has.
  const back = takenBack(saw);
  const hasUnits = (one: Known): boolean =>
    HAS_UNITS.includes(one.state) && (one.state !== "sold" || !back.has(fieldOf(one)));
  for (const now of after(orders)) {
    const open = [...now.values()].filter(hasUnits);
    if (count(open) > most) faults.push(`[I2] ${count(open)} of ${most} units are held or sold`);
    for (const [viewerId, own] of grouped(open, (o) => o.viewerId))
      if (count(own) > limit)
        faults.push(`[I4] ${viewerId} has ${count(own)}, the limit is ${limit}`);
  }
  return faults;
}

/** Money of an order that was taken back has come back in the end, and of no other that was sold. */
function returned({ saw }: History, orders: readonly Known[]): string[] {
  const back = takenBack(saw);
  const sold = new Set(orders.flatMap((one) => (one.state === "sold" ? [fieldOf(one)] : [])));
  return [...lastOf(orders)].flatMap(([field, { state }]) => {
    if (back.has(field) && state !== "refunded")
      return [`[F6] ${field} was taken back, and is ${state}`];
    const isRefunded = state === "refunded" && sold.has(field) && !back.has(field);
    return isRefunded ? [`[F6] ${field} was refunded, and nobody took it back`] : [];
  });
}

/** By the deadline of a hold it is known when Redis decided it; an offer stands as long here. */
function times({ holdMs, startsAtMs, endsAtMs }: History, orders: readonly Known[]): string[] {
  return orders.flatMap(({ holdId, state, deadlineMs }) => {
    if (state !== "held") return [];
    const atMs = deadlineMs - holdMs;
    return atMs >= startsAtMs && atMs < endsAtMs ? [] : [`[I9] ${holdId} was held at ${atMs}`];
  });
}

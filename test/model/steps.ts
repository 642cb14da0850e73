/** What somebody may do in a history, as plain data, and how it is drawn; what is meant is settled when its turn comes. */
import fc from "fast-check";
import type { Deed, Request, Shop } from "./shop.ts";

/** As drawn: which hold, payment or order is meant is settled when the turn comes, among those that are there by then. */
type Drawn = Said | { readonly what: "payOne" | "cancelOne"; readonly pick: number } | Tap;
type Said = { readonly what: "word"; readonly pick: number; readonly isYes: boolean };
/** A hold as of the restock epoch that its screen shows, which may be one or two `behind`, or ahead after a failover. */
type Tap = Omit<Hold, "what" | "coupons"> & { readonly what: "tap"; readonly behind: number };
type Hold = Extract<Request, { what: "hold" }>;
type Ask = Exclude<Request, { payment: number }> | Drawn;
export type Step = { readonly via: 0 | 1 } & (
  | { readonly what: "batch"; readonly asks: readonly Ask[]; readonly perCall?: number | undefined }
  | Exclude<Deed, { what: "batch" }>
);
const via = fc.constantFrom<0 | 1>(0, 1);
const dropId = fc.constantFrom("now", "now", "soon");
const queuedFor = fc.constantFrom("now", "soon", "soon");
const who = {
  viewerId: fc.constantFrom("ann", "bob", "eve"),
  key: fc.constantFrom("k1", "k2", "k3", "k4", "k5", "k6"),
};
/** Mostly all there is to show. */
const level = fc.constantFrom(3, 3, 3, 3, 2, 1, 0);
const flags = fc.constantFrom("", "", "odd", "many");
const admitted = fc.record({ level, flags });
const behind = fc.constantFrom(0, 0, 0, 0, 1, 1, 2, -1);
const rusher = fc.record({ ...who, flags, isTap: fc.boolean() });
const rushers = fc.array(rusher, { minLength: 2, maxLength: 6, size: "+1" });
const few = fc.constantFrom(1, 1, 1, 2, 3);
const someCoupons = [
  [],
  [],
  [],
  [],
  ["ten"],
  ["most"],
  ["pair"],
  ["most", "pair"],
  ["ten", "pair"],
];
const coupons = fc.constantFrom<readonly string[]>(...someCoupons);
const couponId = fc.constantFrom("ten", "most", "pair");
const pick = fc.constantFrom(0, 0, 0, 1, 1, 2, 3, 5, 8);
const isYes = fc.constantFrom(true, true, false);
const is = fc.constant;
const units = { dropId, quantity: few, admitted };

const ask: fc.Arbitrary<Ask> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: is("hold"), ...who, ...units, coupons }) },
  { weight: 4, arbitrary: fc.record({ what: is("tap"), ...who, ...units, behind }) },
  { weight: 4, arbitrary: fc.record({ what: is("wait"), ...who, ...units, dropId: queuedFor }) },
  { weight: 2, arbitrary: fc.record({ what: is("claim"), ...who, couponId }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom("pay", "cancel"), ...who }) },
  { weight: 4, arbitrary: fc.record({ what: is("payOne"), pick }) },
  { weight: 1, arbitrary: fc.record({ what: is("cancelOne"), pick }) },
  { weight: 3, arbitrary: fc.record({ what: is("word"), pick, isYes }) },
);
/** As a rush comes: many want as many units of the same drop, which are decided in one go, or in several where only some of them tap. */
const rush: fc.Arbitrary<readonly Ask[]> = fc
  .record({
    drop: dropId,
    quantity: few,
    level,
    behind,
    by: fc.constantFrom("taps", "taps", "holds", "both"),
    own: rushers,
  })
  .map(({ drop, quantity, level: all, behind: epochs, by, own }) =>
    own.map(({ viewerId, key, flags: odd, isTap }) => {
      const wanted = {
        viewerId,
        key,
        dropId: drop,
        quantity,
        admitted: { level: all, flags: odd },
      };
      return by === "taps" || (by === "both" && isTap)
        ? { ...wanted, what: "tap", behind: epochs }
        : { ...wanted, what: "hold", coupons: [] };
    }),
  );
/** Most batches are one call, some are several. */
const perCall = fc.option(fc.integer({ min: 1, max: 3 }), { freq: 3, nil: undefined });
export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({
      via,
      what: is("batch"),
      asks: fc.array(ask, { minLength: 1, maxLength: 5, size: "+1" }),
      perCall,
    }),
  },
  { weight: 9, arbitrary: fc.record({ via, what: is("batch"), asks: rush, perCall }) },
  { weight: 5, arbitrary: fc.record({ via, what: is("sweep") }) },
  {
    weight: 4,
    arbitrary: fc.record({
      via,
      what: fc.constant("restock"),
      dropId,
      units: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ via, what: fc.constantFrom("close", "void"), dropId }) },
  { weight: 4, arbitrary: fc.record({ via, what: is("draw"), dropId: is("soon") }) },
  { weight: 6, arbitrary: fc.record({ via, what: is("takeBack"), order: fc.nat(4) }) },
) as fc.Arbitrary<Step>;

/** What is meant, now that it is known what there is. All that might be the shop agree on that. */
export function deedOf(one: Step, shop: Shop): Deed {
  if (one.what === "takeBack")
    return { what: "takeBack", order: one.order % Math.max(1, shop.orders.length) };
  if (one.what !== "batch") return one;
  const { what, perCall: most, asks } = one;
  return { what, perCall: most, requests: asks.flatMap((asked) => requestOf(asked, shop) ?? []) };
}

/** `pick` counts from the newest on. */
function requestOf(asked: Ask, { drops, holds, payments }: Shop): Request | undefined {
  if (asked.what === "tap") return tapOf(asked, drops);
  if (!("pick" in asked)) return asked;
  if (asked.what === "word") return wordOf(asked, payments);
  const fields = Object.keys(holds);
  const [viewerId, key] = fields.at(-1 - (asked.pick % fields.length))?.split("|") ?? [];
  if (viewerId === undefined || key === undefined) return undefined;
  return { what: asked.what === "payOne" ? "pay" : "cancel", viewerId, key };
}

function tapOf({ behind: epochs, ...tap }: Tap, drops: Shop["drops"]): Hold {
  const restockEpoch = Math.max(0, (drops[tap.dropId]?.epoch ?? 0) - epochs);
  return { ...tap, what: "hold", coupons: [], restockEpoch };
}

function wordOf(
  { pick: nth, isYes: isTaken }: Said,
  payments: Shop["payments"],
): Request | undefined {
  const payment = payments.length - 1 - (nth % payments.length);
  const charged = isTaken ? "settle" : "decline";
  const what = payments[payment]?.what === "charge" ? charged : "refund";
  return payments.length === 0 ? undefined : { what, payment };
}

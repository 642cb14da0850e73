/** What can happen in a history, as plain data, so that it can be written down and played again; and as fast-check commands. */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { act } from "./deeds.ts";
import type { Look } from "./look.ts";
import { explain, type Seen } from "./search.ts";
import type { Answer, Deed, Request, Shop } from "./shop.ts";
import { viewOf } from "./view.ts";
import type { RealShow, World } from "./world.ts";

/** As drawn: which hold, payment or order is meant is settled when the turn comes, among those that are there by then. */
type Drawn =
  | { readonly what: "word"; readonly pick: number; readonly isYes: boolean }
  | { readonly what: "payOne" | "cancelOne"; readonly pick: number };
type Ask = Exclude<Request, { payment: number }> | Drawn;
export type Step = { readonly via: 0 | 1 } & (
  | { readonly what: "batch"; readonly asks: readonly Ask[] }
  | Exclude<Deed, { what: "batch" }>
);
interface Together {
  readonly together: readonly Step[];
  /** Redis is killed meanwhile. */
  readonly crash?: boolean;
}
/** `passMs`: the clock moves on, or back. `swept`: then the sweep comes by, as it does; else somebody else is quicker. */
export type Turn = Together | { readonly passMs: number; readonly swept?: boolean };

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
const rushers = fc.array(fc.record({ ...who, flags }), { minLength: 2, maxLength: 6, size: "+1" });
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
  { weight: 8, arbitrary: fc.record({ what: is("hold"), ...who, ...units, coupons }) },
  { weight: 4, arbitrary: fc.record({ what: is("wait"), ...who, ...units, dropId: queuedFor }) },
  { weight: 2, arbitrary: fc.record({ what: is("claim"), ...who, couponId }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom("pay", "cancel"), ...who }) },
  { weight: 4, arbitrary: fc.record({ what: is("payOne"), pick }) },
  { weight: 1, arbitrary: fc.record({ what: is("cancelOne"), pick }) },
  { weight: 3, arbitrary: fc.record({ what: is("word"), pick, isYes }) },
);
/** As a rush comes: many want as many units of the same drop, which are decided in one go. */
const rush: fc.Arbitrary<readonly Ask[]> = fc
  .record({ drop: dropId, quantity: few, level, own: rushers })
  .map(({ drop, quantity, level: all, own }) =>
    own.map(({ viewerId, key, flags: odd }) => ({
      what: "hold",
      viewerId,
      key,
      dropId: drop,
      quantity,
      coupons: [],
      admitted: { level: all, flags: odd },
    })),
  );
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({
      via,
      what: is("batch"),
      asks: fc.array(ask, { minLength: 1, maxLength: 5, size: "+1" }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ via, what: is("batch"), asks: rush }) },
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

const passing: fc.Arbitrary<Turn> = fc.record({
  passMs: fc.constantFrom(1, 300, 1000, 1000, 3000, 61_000, 61_000, -500),
  swept: fc.boolean(),
});
const together = fc
  .array(step, { minLength: 1, maxLength: 4 })
  .map((steps): Turn => ({ together: steps }));
const crashing = fc
  .array(step, { minLength: 1, maxLength: 3 })
  .map((steps): Turn => ({ together: steps, crash: true }));

/** Every shop that the real one can be, by what was seen so far. */
interface Beliefs {
  shops: readonly Shop[];
}
export interface Played {
  readonly world: World;
  readonly real: RealShow;
  readonly terms: object;
  /** Turns so far: what to write into `pinned` when this history fails. */
  readonly turns: Turn[];
  /** All that was ever answered: first and last words. */
  readonly words: Set<string>;
  /** As it was after the turn before. */
  shown: Look["shown"];
}
export type Command = fc.AsyncCommand<Beliefs, Played>;

export const commandOf = (turn: Turn): Command => ({
  check: () => true,
  run: (beliefs, played) => play(turn, beliefs, played),
  toString: () => JSON.stringify(turn),
});

export const anyTurns = fc.commands(
  [together, together, together, together, together, passing, passing].map((turn) =>
    turn.map(commandOf),
  ),
  { maxCommands: 24, size: "+1" },
);
/** Few: each restart of Redis costs a quarter of a second. */
export const anyTurnsWithCrashes = fc.commands(
  [together, together, together, passing, crashing].map((turn) => turn.map(commandOf)),
  { maxCommands: 8, size: "+1" },
);

/** As the sweeper does it: until nothing changes, and then what waits for its draw. */
const SWEEP: readonly Together[] = [
  { together: [{ via: 0, what: "sweep" }] },
  { together: [{ via: 0, what: "sweep" }] },
  { together: [{ via: 0, what: "sweep" }] },
  { together: [{ via: 0, what: "draw", dropId: "soon" }] },
];

async function play(turn: Turn, beliefs: Beliefs, played: Played): Promise<void> {
  played.turns.push(turn);
  if ("together" in turn) return playTogether(turn, beliefs, played);
  // What was due by a clock that steps back has been done by then: the sweep comes by five times a second.
  if (turn.passMs < 0) for (const one of SWEEP) await playTogether(one, beliefs, played);
  played.world.clock.pass(turn.passMs);
  if (turn.swept === true) for (const one of SWEEP) await playTogether(one, beliefs, played);
}

async function playTogether(turn: Together, beliefs: Beliefs, played: Played): Promise<void> {
  const { world, real } = played;
  const [shop] = beliefs.shops as [Shop];
  const deeds = turn.together
    .map((one) => [one.via, deedOf(one, shop)] as const)
    .filter(([, deed]) => deed.what !== "batch" || deed.requests.length > 0);
  const under = Promise.all(
    deeds.map(async ([node, deed]): Promise<Seen> => ({
      deed,
      answers: await real.act(node, deed),
    })),
  );
  if (turn.crash === true) await world.crash();
  const seen = await under;
  for (const { answers = [] } of seen)
    for (const answer of answers)
      for (const word of [answer[0], answer.at(-1)]) played.words.add(String(word));
  const explained = explain(beliefs.shops, seen, world.clock.nowMs);
  if (explained.length === 0)
    fail(
      played,
      `no order of these explains their answers:\n${told(shop, seen, world.clock.nowMs)}`,
    );
  const { view, shown } = await real.look();
  const stale = notLater(played.shown, shown);
  if (stale !== undefined)
    fail(
      played,
      `after\n${told(shop, seen, world.clock.nowMs)}\n${stale} has changed, and no screen would show it: its version is no later`,
    );
  played.shown = shown;
  beliefs.shops = explained.filter((one) => isDeepStrictEqual(viewOf(one), view));
  if (beliefs.shops.length > 0) return;
  const difference = differences(view, viewOf(explained[0] as Shop)).join("\n");
  fail(
    played,
    `after\n${told(shop, seen, world.clock.nowMs)}\nin Redis | in the model:\n${difference}`,
  );
}

const notLater = (before: Look["shown"], now: Look["shown"]): string | undefined =>
  [...now].find(([name, { version, what }]) => {
    const last = before.get(name);
    return last !== undefined && last.what !== what && version <= last.version;
  })?.[0];

/** Every place in which two views differ. */
function differences(real: object, model: object, path = ""): string[] {
  const [a, b] = [real, model] as unknown as [Record<string, unknown>, Record<string, unknown>];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((name) => {
    const [one, other] = [a[name], b[name]];
    if (isDeepStrictEqual(one, other)) return [];
    if (one instanceof Object && other instanceof Object)
      return differences(one, other, `${path}${name} `);
    return [`  ${path}${name}: ${String(one)} | ${String(other)}`];
  });
}

/** What is meant, now that it is known what there is. All that might be the shop agree on that. */
function deedOf(one: Step, shop: Shop): Deed {
  if (one.what === "takeBack")
    return { what: "takeBack", order: one.order % Math.max(1, shop.orders.length) };
  if (one.what !== "batch") return one;
  return { what: "batch", requests: one.asks.flatMap((asked) => requestOf(asked, shop) ?? []) };
}

/** `pick` counts from the newest on. */
function requestOf(asked: Ask, { holds, payments }: Shop): Request | undefined {
  if (!("pick" in asked)) return asked;
  if (asked.what === "word") {
    const payment = payments.length - 1 - (asked.pick % payments.length);
    const charged = asked.isYes ? "settle" : "decline";
    const what = payments[payment]?.what === "charge" ? charged : "refund";
    return payments.length === 0 ? undefined : { what, payment };
  }
  const fields = Object.keys(holds);
  const [viewerId, key] = fields.at(-1 - (asked.pick % fields.length))?.split("|") ?? [];
  if (viewerId === undefined || key === undefined) return undefined;
  return { what: asked.what === "payOne" ? "pay" : "cancel", viewerId, key };
}

const said = (answers: readonly Answer[] | undefined): string =>
  JSON.stringify(answers ?? "no answer");

/** The deeds one by one, with their answers, and those the model gives if they are done in this order. */
function told(before: Shop, together_: readonly Seen[], nowMs: number): string {
  const shop = structuredClone(before);
  return together_
    .map(
      ({ deed, answers }) =>
        `  ${JSON.stringify(deed)}\n    → ${said(answers)}\n    model: ${said(act(shop, deed, nowMs))}`,
    )
    .join("\n");
}

export function fail({ terms, turns }: Played, why: string): never {
  throw new Error(
    `${why}\nto pin it, save as test/model/pinned/NAME.json:\n${JSON.stringify({ why: "", terms, turns })}`,
  );
}

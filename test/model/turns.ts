/** What can happen in a history, as plain data, so that it can be written down and played again; and as fast-check commands. */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { act } from "./deeds.ts";
import { explain, type Seen } from "./search.ts";
import type { Answer, Deed, Request, Shop } from "./shop.ts";
import { viewOf } from "./view.ts";
import type { RealShow, World } from "./world.ts";

/** As drawn: which payment or order is meant is settled when the turn comes, among those that are known by then. */
type Word = { readonly what: "word"; readonly pick: number; readonly isYes: boolean };
type Ask = Exclude<Request, { payment: number }> | Word;
export type Step = { readonly via: 0 | 1 } & (
  | { readonly what: "batch"; readonly asks: readonly Ask[] }
  | Exclude<Deed, { what: "batch" }>
);
export type Turn =
  | { readonly passMs: number }
  /** Steps under way at once. @property crash Redis is killed meanwhile */
  | { readonly together: readonly Step[]; readonly crash?: boolean };

const via = fc.constantFrom<0 | 1>(0, 1);
const dropId = fc.constantFrom("now", "now", "soon");
const who = {
  viewerId: fc.constantFrom("ann", "bob", "eve"),
  key: fc.constantFrom("k1", "k2", "k3"),
};
const few = fc.constantFrom(1, 1, 1, 2, 3);
const coupons = fc.constantFrom<readonly string[]>(
  [],
  [],
  [],
  ["ten"],
  ["most"],
  ["pair"],
  ["most", "pair"],
  ["ten", "pair"],
);

const word: fc.Arbitrary<Word> = fc.record({
  what: fc.constant("word"),
  pick: fc.nat(20),
  isYes: fc.constantFrom(true, true, false),
});
const ask: fc.Arbitrary<Ask> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ what: fc.constant("hold"), ...who, dropId, quantity: few, coupons }),
  },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("wait"), ...who, dropId, quantity: few }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant("claim"),
      ...who,
      couponId: fc.constantFrom("ten", "most", "pair"),
    }),
  },
  { weight: 5, arbitrary: fc.record({ what: fc.constantFrom("pay", "pay", "cancel"), ...who }) },
  { weight: 5, arbitrary: word },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      via,
      what: fc.constant("batch"),
      asks: fc.array(ask, { minLength: 1, maxLength: 5 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ via, what: fc.constant("sweep") }) },
  {
    weight: 2,
    arbitrary: fc.record({
      via,
      what: fc.constant("restock"),
      dropId,
      units: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ via, what: fc.constantFrom("close", "void"), dropId }) },
  { weight: 2, arbitrary: fc.record({ via, what: fc.constant("takeBack"), order: fc.nat(4) }) },
) as fc.Arbitrary<Step>;

const passing = fc
  .constantFrom(1, 300, 1000, 1000, 3000, 60_000, 61_000, -500)
  .map((passMs): Turn => ({ passMs }));
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

const SWEEP: Turn = { together: [{ via: 0, what: "sweep" }] };

async function play(turn: Turn, beliefs: Beliefs, played: Played): Promise<void> {
  const { world, real, turns } = played;
  if ("passMs" in turn && turn.passMs < 0)
    // What was due by the clock that now steps back has been done by then: the sweep comes by five times a second.
    for (const one of [SWEEP, SWEEP]) await play(one, beliefs, played);
  turns.push(turn);
  if ("passMs" in turn) return world.clock.pass(turn.passMs);
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
  const explained = explain(beliefs.shops, seen, world.clock.nowMs);
  if (explained.length === 0)
    fail(
      played,
      `no order of these explains their answers:\n${told(shop, seen, world.clock.nowMs)}`,
    );
  const view = await real.look();
  beliefs.shops = explained.filter((one) => isDeepStrictEqual(viewOf(one), view));
  if (beliefs.shops.length > 0) return;
  const difference = differences(view, viewOf(explained[0] as Shop)).join("\n");
  fail(
    played,
    `after\n${told(shop, seen, world.clock.nowMs)}\nin Redis | in the model:\n${difference}`,
  );
}

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

/** What is meant, now that it is known which payments and orders there are. All that might be the shop agree on those. */
function deedOf(one: Step, { payments, orders }: Shop): Deed {
  if (one.what === "takeBack")
    return { what: "takeBack", order: orders.length === 0 ? 0 : one.order % orders.length };
  if (one.what !== "batch") return one;
  const requests = one.asks.flatMap((asked): Request[] => {
    if (asked.what !== "word") return [asked];
    if (payments.length === 0) return [];
    const payment = asked.pick % payments.length;
    const isCharge = payments[payment]?.what === "charge";
    return [{ what: isCharge ? (asked.isYes ? "settle" : "decline") : "refund", payment }];
  });
  return { what: "batch", requests };
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

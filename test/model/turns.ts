/** What can happen in a history, as plain data, so that it can be written down and played again; and as fast-check commands. */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { act } from "./deeds.ts";
import type { Look } from "./look.ts";
import { explain, type Seen } from "./search.ts";
import type { Answer, Shop } from "./shop.ts";
import { deedOf, step, type Step } from "./steps.ts";
import { type Mark, marksIn, wordsOf } from "./told.ts";
import { viewOf } from "./view.ts";
import type { RealShow, World } from "./world.ts";

interface Together {
  readonly together: readonly Step[];
  /** Redis is killed meanwhile. */
  readonly crash?: boolean;
}
/** `passMs`: the clock moves on, or back. `swept`: then the sweep comes by, as it does; else somebody else is quicker. */
export type Turn = Together | { readonly passMs: number; readonly swept?: boolean };

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
  /** Answers that the log is said to tell. */
  readonly marks: Mark[];
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
      maySendAgain: turn.crash === true,
    })),
  );
  if (turn.crash === true) await world.crash();
  const seen = await under;
  played.marks.push(...seen.flatMap(marksIn));
  for (const word of seen.flatMap(wordsOf)) played.words.add(word);
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

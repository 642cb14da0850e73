/** One random or pinned history from beginning to end, and the checks that stand at its end. */
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { checkHolds, checkLedger, liveDrops, readLedger } from "../helpers/books.ts";
import { answersTaps } from "./taps.ts";
import { dropsOf, PLAIN, shopOn, type Terms } from "./terms.ts";
import { checkLog, type Mark } from "./told.ts";
import { type Command, fail, type Turn } from "./turns.ts";
import type { World } from "./world.ts";

/**
 * @returns the kinds of the movements in it, and the words that were answered
 * @throws at the first turn that the model cannot explain, with the history as it must be pinned
 */
export async function playOut(
  world: World,
  terms: Terms,
  turns: Iterable<Command>,
): Promise<readonly string[]> {
  const { nowMs } = world.clock;
  const real = await world.open(terms);
  const model = { shops: [shopOn(terms, nowMs)] };
  const { shown } = await real.look();
  const words = new Set<string>();
  const played = { world, real, terms, turns: [] as Turn[], words, marks: [] as Mark[], shown };
  await fc.asyncModelRun(() => ({ model, real: played }), turns);
  try {
    const kinds = await checkBooks(world, real.show, played.turns, nowMs + terms.lastsMs);
    const drops = Object.entries(dropsOf(terms, nowMs));
    const told = new Set(drops.flatMap(([dropId, drop]) => (answersTaps(drop) ? [dropId] : [])));
    const faults = await checkLog(world.redis, real.show, played.marks, told);
    if (faults.length > 0) throw new Error(faults.join("\n"));
    return [...kinds, ...words];
  } catch (wrong) {
    fail(played, (wrong as Error).message);
  }
}

/** [I1] and the other rules at every line of the ledger, and that replaying it gives the live state. */
async function checkBooks(
  world: World,
  show: string,
  turns: Turn[],
  endMs: number,
): Promise<string[]> {
  const ledger = await readLedger(world.redis, show);
  // What has opened stays open, should the clock step back after that.
  const backMs = turns.reduce((ms, t) => ms - ("passMs" in t ? Math.min(0, t.passMs) : 0), 0);
  const live = await liveDrops(world.redis, show);
  const opened = live.map((drop) => ({ ...drop, startsAtMs: drop.startsAtMs - backMs }));
  checkLedger(ledger, opened, endMs);
  checkHolds(ledger, false);
  return ledger.map(({ kind }) => kind);
}

interface Pinned {
  /** The rule that it is about. */
  readonly why: string;
  readonly terms: Terms;
  readonly turns: readonly Turn[];
}

/** Histories that once failed, or that somebody thought up: by name. */
export function pinned(): readonly (readonly [name: string, history: Pinned])[] {
  const folder = new URL("pinned/", import.meta.url);
  const read = (file: string): Pinned => {
    const history = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Pinned;
    return { ...history, terms: { ...PLAIN, ...history.terms } };
  };
  return readdirSync(folder).map((file) => [file.replace(/\.json$/, ""), read(file)] as const);
}

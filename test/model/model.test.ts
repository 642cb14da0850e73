/** Random histories over two nodes against the single-threaded model: first those that failed once, then new ones. */
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkHolds, checkLedger, liveDrops, readLedger } from "../helpers/books.ts";
import { anyTerms, shopOn, type Terms } from "./terms.ts";
import {
  anyTurns,
  anyTurnsWithCrashes,
  type Command,
  commandOf,
  fail,
  type Turn,
} from "./turns.ts";
import { startModelWorld, type World } from "./world.ts";

/** Where Redis is killed every write must be on the disk, elsewhere that would only be slow. */
let world: World;
let mortal: World;
beforeAll(async () => {
  [world, mortal] = await Promise.all([startModelWorld(), startModelWorld({ fsyncAlways: true })]);
});
afterAll(() => Promise.all([world.stop(), mortal.stop()]));

async function playOut(where: World, terms: Terms, turns: Iterable<Command>): Promise<void> {
  const { nowMs } = where.clock;
  const real = await where.open(terms);
  const model = { shops: [shopOn(terms, nowMs)] };
  const played = { world: where, real, terms, turns: [] as Turn[] };
  await fc.asyncModelRun(() => ({ model, real: played }), turns);
  try {
    await checkBooks(where, real.show, played.turns, nowMs + terms.lastsMs);
  } catch (wrong) {
    fail(played, (wrong as Error).message);
  }
}

/** [I1] and the other rules at every line of the ledger, and that replaying it gives the live state. */
async function checkBooks(where: World, show: string, turns: Turn[], endMs: number): Promise<void> {
  const ledger = await readLedger(where.redis, show);
  // What has opened stays open, should the clock step back after that.
  const backMs = turns.reduce((ms, t) => ms - ("passMs" in t ? Math.min(0, t.passMs) : 0), 0);
  const live = await liveDrops(where.redis, show);
  const opened = live.map((drop) => ({ ...drop, startsAtMs: drop.startsAtMs - backMs }));
  checkLedger(ledger, opened, endMs);
  checkHolds(ledger, false);
}

const pinned = new URL("pinned/", import.meta.url);
interface Pinned {
  readonly why: string;
  readonly terms: Terms;
  readonly turns: readonly Turn[];
}
const cases = readdirSync(pinned).map(
  (file) => [file, JSON.parse(readFileSync(new URL(file, pinned), "utf8")) as Pinned] as const,
);

test.each(cases)("[MODEL1] the history of %s", async (_, { terms, turns }) => {
  const hasCrash = turns.some((turn) => "crash" in turn);
  await playOut(hasCrash ? mortal : world, terms, turns.map(commandOf));
});

/** @throws the shrunk history's own words: what differs, how to pin it, and the seed */
async function check<T>(property: fc.IAsyncProperty<T>, numRuns: number): Promise<void> {
  // The limit is for shrinking; without a failure all runs fit many times over.
  const done = await fc.check(property, { numRuns, interruptAfterTimeLimit: 60_000 });
  const { failed, errorInstance, seed, counterexamplePath } = done;
  if (failed)
    throw new Error(
      `${(errorInstance as Error).message}\nseed: ${seed}, path: "${counterexamplePath}"`,
    );
  expect(done.numRuns, `seed ${seed}`).toBe(numRuns);
}

test("[MODEL2][I1][I2][I3][I4][I5][I6][I8][I9] 250 random histories over two nodes are those of a single thread", async () => {
  await check(
    fc.asyncProperty(anyTerms, anyTurns, (terms, turns) => playOut(world, terms, turns)),
    250,
  );
}, 75_000);

test("[MODEL3][F7] random histories in which Redis is killed while it decides", async () => {
  await check(
    fc.asyncProperty(anyTerms, anyTurnsWithCrashes, (terms, turns) =>
      playOut(mortal, terms, turns),
    ),
    12,
  );
}, 75_000);

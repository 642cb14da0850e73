/** Random histories over two nodes against the single-threaded model: first those that failed once, then new ones. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pinned, playOut } from "./history.ts";
import { anyTerms, anyTermsWithCrashes } from "./terms.ts";
import { anyTurns, anyTurnsWithCrashes, commandOf } from "./turns.ts";
import { startModelWorld, type World } from "./world.ts";

/** Where Redis is killed every write must be on the disk, elsewhere that would only be slow. */
let world: World;
let mortal: World;
beforeAll(async () => {
  [world, mortal] = await Promise.all([startModelWorld(), startModelWorld({ fsyncAlways: true })]);
});
afterAll(() => Promise.all([world.stop(), mortal.stop()]));

const USUAL = [
  "held sold expired cancelled offered restocked returned returnedToProduct returnedAsLoss closed voided",
  "drawn done tooEarly waiting tooLate notNeeded pass limit coupon refunding refunded replica",
  "heldTold heldTapped soldOutTold soldOutTapped soldOutLate",
].flatMap((words) => words.split(" "));

test.each(pinned())("[MODEL1] the history of %s", async (_, { terms, turns }) => {
  const hasCrash = turns.some((turn) => "crash" in turn);
  await playOut(hasCrash ? mortal : world, terms, turns.map(commandOf));
});

/** @throws the shrunk history's own words: what differs, how to pin it, and the seed */
async function check<T>(property: fc.IAsyncProperty<T>, numRuns: number): Promise<void> {
  // The limit is for shrinking; without a failure all runs fit many times over.
  const done = await fc.check(property, { numRuns, interruptAfterTimeLimit: 150_000 });
  const { failed, errorInstance, seed, counterexamplePath } = done;
  if (failed)
    throw new Error(
      `${(errorInstance as Error).message}\nseed: ${seed}, path: "${counterexamplePath}"`,
    );
  expect(done.numRuns, `seed ${seed}`).toBe(numRuns);
}

test("[MODEL2][I1][I2][I3][I4][I5][I6][I7][I8][I9][F6][F9][BUY11][BUY12] 250 random histories over two nodes, with taps, drawn starts, passes and returns, are those of a single thread", async () => {
  const happened = new Map<string, number>();
  await check(
    fc.asyncProperty(anyTerms, anyTurns, async (terms, turns) => {
      for (const kind of await playOut(world, terms, turns))
        happened.set(kind, (happened.get(kind) ?? 0) + 1);
    }),
    250,
  );
  // All that usually happens to stock did, and what is usually answered was, or the histories are not what they are meant to be.
  // Rarer things are pinned.
  for (const kind of USUAL) expect(happened.get(kind) ?? 0, kind).toBeGreaterThan(0);
}, 180_000);

test("[MODEL3][F7] random histories in which Redis is killed while it decides", async () => {
  await check(
    fc.asyncProperty(anyTermsWithCrashes, anyTurnsWithCrashes, async (terms, turns) => {
      await playOut(mortal, terms, turns);
    }),
    12,
  );
}, 180_000);

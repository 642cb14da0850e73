/** The suite has teeth: a shop whose scripts are wrong in one place does not get through it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { pinned, playOut } from "./history.ts";
import { MUTANTS, mutated } from "./mutants.ts";
import { anyTerms } from "./terms.ts";
import { anyTurns, commandOf } from "./turns.ts";
import { startModelWorld, type World } from "./world.ts";

const MOST_HISTORIES = 200;

/** The pinned histories, then random ones. @throws at the first that the model cannot explain */
async function getThrough(world: World): Promise<void> {
  for (const [, { terms, turns }] of pinned()) await playOut(world, terms, turns.map(commandOf));
  const random = fc.asyncProperty(anyTerms, anyTurns, async (terms, turns) => {
    await playOut(world, terms, turns);
  });
  const { failed, errorInstance } = await fc.check(random, {
    numRuns: MOST_HISTORIES,
    endOnFailure: true,
  });
  if (failed) throw errorInstance as Error;
}

test.each(MUTANTS.map((mutant) => [mutant.what, mutant] as const))(
  "[MODEL4] noticed within 200 histories: %s",
  async (_, mutant) => {
    const changed: ReturnType<typeof mutated>[] = [];
    const world = await startModelWorld({
      connected(redis) {
        const one = mutated(redis, mutant);
        changed.push(one);
        return one.redis;
      },
    });
    try {
      for (const one of changed) expect(one.missing(), "the scripts no longer say").toEqual([]);
      await expect(getThrough(world)).rejects.toThrow(/to pin it/);
    } finally {
      await world.stop();
    }
  },
  120_000,
);

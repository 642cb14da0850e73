/**
 * Many simulated shows. `SIM_SEED=7 SIM_SHOWS=1` plays the seventh alone and prints its last steps when it fails; `SIM_SHOWS=500` plays more.
 */
import { expect, test } from "vitest";
import { simulate } from "./simulate.ts";

const FIRST = Number(process.env["SIM_SEED"] ?? 1);
const SHOWS = Number(process.env["SIM_SHOWS"] ?? 4);

test(
  "[SIM1] whatever is lost, late, twice or dead: every promise is kept, and all is well soon after",
  { timeout: 600_000 },
  async () => {
    let steps = 0;
    for (let seed = FIRST; seed < FIRST + SHOWS; seed++) {
      const run = await simulate(seed);
      steps += run.steps;
      if (run.faults.length > 0 && SHOWS === 1) console.error(run.trace.join("\n"));
      expect(run.faults, `SIM_SEED=${seed} SIM_SHOWS=1`).toEqual([]);
    }
    if (SHOWS >= 4) expect(steps).toBeGreaterThan(100_000);
  },
);

test("[SIM2] the same seed is the same run, to the last step", async () => {
  const [one, two] = [await simulate(1, 15_000), await simulate(1, 15_000)];
  expect([two.steps, two.hash]).toEqual([one.steps, one.hash]);
  expect((await simulate(2, 15_000)).hash).not.toBe(one.hash);
});

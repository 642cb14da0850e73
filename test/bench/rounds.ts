/**
 * Measures subjects by turns (A B C, A B C, …), so that a machine that slows down slows all of them, and takes medians. The first
 * round warms up and does not count.
 */
import { median } from "./rows.ts";

/** @param subjects each measures itself once per call @returns the median per subject */
export async function inTurns<N extends string>(
  rounds: number,
  subjects: Readonly<Record<N, () => Promise<number> | number>>,
): Promise<Record<N, number>> {
  const names = Object.keys(subjects) as N[];
  const values = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<
    N,
    number[]
  >;
  for (let round = 0; round <= rounds; round++)
    for (const name of names) {
      const value = await subjects[name]();
      if (round > 0) values[name].push(value);
    }
  return Object.fromEntries(names.map((name) => [name, median(values[name])])) as Record<N, number>;
}

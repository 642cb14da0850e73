/** What a bench is. A new one is a file that exports a `Bench`, and a line in `run.ts`. */
import type { Row } from "./rows.ts";

export interface Bench {
  readonly name: string;
  /** One line: what is measured against what. */
  readonly says: string;
  run(run: BenchRun): Promise<readonly Row[]>;
}

/** Takes over what must be ended, however the work ends. */
export type Owns = (stop: () => Promise<unknown>) => void;

export interface BenchRun {
  /** Fewer rounds and smaller crowds: for a look, not for a verdict. */
  readonly quick: boolean;
  /** Progress, for people. */
  readonly say: (text: string) => void;
  /** Ended when the bench is. */
  readonly owns: Owns;
}

/** Ends in reverse order what the work has handed over. */
export async function owning<T>(work: (owns: Owns) => Promise<T>): Promise<T> {
  const stops: (() => Promise<unknown>)[] = [];
  try {
    return await work((stop) => void stops.push(stop));
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

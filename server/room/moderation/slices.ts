/** Runs work that comes in small steps: at once where nobody waits, or in slices between which the process serves its room. */

export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** @param sliceMs longest time at a stretch @returns undefined when `signal` ended it */
export async function inSlices<T>(
  steps: Generator<void, T>,
  sliceMs: number,
  signal: AbortSignal,
): Promise<T | undefined> {
  for (;;) {
    const endsAtMs = performance.now() + sliceMs;
    do {
      const { done, value } = steps.next();
      if (done === true) return value;
    } while (performance.now() < endsAtMs);
    await new Promise((resolve) => setImmediate(resolve));
    if (signal.aborted) return undefined;
  }
}

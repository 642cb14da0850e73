/**
 * How long the room's tick is: as short as configured while flushes are cheap, longer when they, or the rest of the loop, take more
 * than half of it, up to 250 ms. Widens at once, narrows only after two seconds in which less would have done: no flutter.
 */
export interface Pace {
  readonly tickMs: number;
  /** A tick is over. @param tookMs its flush, or how late its timer was, whichever is longer */
  readonly took: (tookMs: number) => void;
}

export const MAX_TICK_MS = 250;
/** A flush may take this share of the tick. */
const SHARE = 0.5;
/** Of a new measurement in the running mean: one garbage collection does not widen the tick by much. */
const WEIGHT = 0.3;
const NARROW_AFTER_MS = 2000;
/** Narrows by this, and only when so much less would do. */
const NARROW_BY = 0.75;

export function createPace(minMs: number): Pace {
  const maxMs = Math.max(minMs, MAX_TICK_MS);
  let tickMs = minMs;
  let meanMs = 0;
  let easyMs = 0;
  return {
    get tickMs() {
      return tickMs;
    },
    took(tookMs) {
      meanMs += (tookMs - meanMs) * WEIGHT;
      const neededMs = Math.min(maxMs, Math.max(minMs, meanMs / SHARE));
      if (neededMs > tickMs) {
        tickMs = neededMs;
        easyMs = 0;
      } else if (neededMs > tickMs * NARROW_BY && tickMs * NARROW_BY > minMs) easyMs = 0;
      else if ((easyMs += tickMs) > NARROW_AFTER_MS) {
        tickMs = Math.max(neededMs, tickMs * NARROW_BY);
        easyMs = 0;
      }
    },
  };
}

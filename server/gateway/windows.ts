/**
 * Counts by key within the last while. Two maps take turns, so nothing is swept and what is old goes as a whole; a count is that of
 * the current turn plus the share of the last one that still lies within the span. Cost: two lookups and one write per count.
 */
export interface Window {
  /** Counts one, or more. @returns how many there are within the span, these included */
  add(key: string, nowMs: number, more?: number): number;
  /** Without counting. */
  count(key: string, nowMs: number): number;
}

export function createWindow(spanMs: number): Window {
  let [now, before] = [new Map<string, number>(), new Map<string, number>()];
  let turnedAtMs = Number.NEGATIVE_INFINITY;
  const turn = (nowMs: number): void => {
    if (nowMs < turnedAtMs + spanMs) return;
    before = nowMs < turnedAtMs + 2 * spanMs ? now : new Map();
    now = new Map();
    turnedAtMs = nowMs;
  };
  const earlier = (key: string, nowMs: number): number =>
    before.size === 0 ? 0 : (before.get(key) ?? 0) * (1 - (nowMs - turnedAtMs) / spanMs);
  return {
    count(key, nowMs) {
      turn(nowMs);
      return (now.get(key) ?? 0) + earlier(key, nowMs);
    },
    add(key, nowMs, more = 1) {
      turn(nowMs);
      const count = (now.get(key) ?? 0) + more;
      now.set(key, count);
      return count + earlier(key, nowMs);
    },
  };
}

/** The count of one key, for whoever keeps it with what it is about: then there is nothing to look up. */
export interface Tally {
  count: number;
  before: number;
  /** Which span `count` is of. */
  span: number;
}

export interface Tallies {
  /** @param had what was kept: old ones are forgotten, and begun anew */
  tallyOf(had: Tally | undefined, key: string, nowMs: number): Tally;
  /** @param more 0: only looks @returns how many there are within the span, these included */
  addTo(tally: Tally, more: number, nowMs: number): number;
}

const LEAST_SWEPT = 4096;

/** The same as a window, by tallies; the spans are those of the clock. Memory: those who were counted within two spans, and as many again. */
export function createTallies(spanMs: number): Tallies {
  const tallies = new Map<string, Tally>();
  let sweepAt = LEAST_SWEPT;
  const isOld = ({ span }: Tally, now: number): boolean => span + 1 < now;
  return {
    tallyOf(had, key, nowMs) {
      const span = Math.floor(nowMs / spanMs);
      if (had !== undefined && !isOld(had, span)) return had;
      let tally = tallies.get(key);
      if (tally === undefined) {
        if (tallies.size >= sweepAt) {
          for (const [name, one] of tallies) if (isOld(one, span)) tallies.delete(name);
          sweepAt = Math.max(LEAST_SWEPT, 2 * tallies.size);
        }
        tallies.set(key, (tally = { count: 0, before: 0, span }));
      }
      return tally;
    },
    addTo(tally, more, nowMs) {
      const span = Math.floor(nowMs / spanMs);
      if (span !== tally.span) {
        tally.before = span === tally.span + 1 ? tally.count : 0;
        tally.count = 0;
        tally.span = span;
      }
      tally.count += more;
      return tally.count + tally.before * (1 - (nowMs / spanMs - span));
    },
  };
}

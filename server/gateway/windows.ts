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

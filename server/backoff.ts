/**
 * How long to wait before something that died is started again: 100 ms, doubling to 5 s; a run of 10 s counts as
 * healthy and begins anew. Pure: the clock is given.
 */
const firstDelayMs = 100;
const longestDelayMs = 5000;
const healthyAfterMs = 10_000;

export interface Backoff {
  /** It was started, now. */
  started(): void;
  /** It died, now: wait this long. */
  delayMs(): number;
}

export function createBackoff(nowMs: () => number = () => performance.now()): Backoff {
  let startedAtMs = nowMs();
  let nextMs = firstDelayMs;
  return {
    started() {
      startedAtMs = nowMs();
    },
    delayMs() {
      if (nowMs() - startedAtMs >= healthyAfterMs) nextMs = firstDelayMs;
      const delayMs = nextMs;
      nextMs = Math.min(longestDelayMs, nextMs * 2);
      return delayMs;
    },
  };
}

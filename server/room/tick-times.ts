/** When the newest comment ticks of one feed were published: how old is what somebody has not seen. */
export interface TickTimes {
  readonly record: (tick: number, atMs: number) => void;
  /** The newest tick; 0: none yet. */
  readonly last: number;
  /** When the first tick after this one was published; undefined: there is none. The oldest one kept stands for all before it. */
  readonly after: (tick: number) => number | undefined;
  /** The first tick published since then; undefined: there is none. */
  readonly since: (atMs: number) => number | undefined;
}

const KEPT = 1024;

export function createTickTimes(): TickTimes {
  const ticks: number[] = [];
  const times: number[] = [];
  return {
    record(tick, atMs) {
      ticks.push(tick);
      times.push(atMs);
      if (ticks.length < 2 * KEPT) return;
      ticks.splice(0, KEPT);
      times.splice(0, KEPT);
    },
    get last() {
      return ticks.at(-1) ?? 0;
    },
    after: (tick) => times[firstAbove(ticks, tick)],
    since: (atMs) => ticks[firstAbove(times, atMs)],
  };
}

/** Where in a rising list the first number above `limit` is; its length: nowhere. */
function firstAbove(rising: readonly number[], limit: number): number {
  let low = 0;
  let high = rising.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rising[middle] as number) > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}

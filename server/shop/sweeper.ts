/**
 * Opens, closes and expires on time: sweeps the given shows again and again, never twice at once. Idle cost: one call of
 * two reads per show and round. Any number of processes may sweep the same shows; who comes second finds nothing to do.
 */
import type { Logger } from "pino";
import type { Part } from "../lifecycle.ts";
import { startLoop } from "../loop.ts";
import type { Inventory } from "./inventory.ts";

export interface Sweeper extends Part {
  /** The longest time between two rounds, of the last seconds. [F8] must stay below 1000 */
  readonly lagMs: number;
  /** Drops and holds changed since the start. */
  readonly changed: number;
}

export interface SweeperPorts {
  readonly inventory: Pick<Inventory, "sweep" | "draw">;
  /** Asked anew each round. */
  readonly shows: () => Iterable<string>;
  /** From the end of one round to the beginning of the next. */
  readonly everyMs: number;
  readonly log: Logger;
}

/** Shows swept side by side: they share a round trip. */
const MAX_TOGETHER = 64;
/** Calls for one show in one round, so that a show with 10,000 lapsed holds does not starve the others. */
const MAX_CALLS = 4;

export function startSweeper({ inventory, shows, everyMs, log }: SweeperPorts): Sweeper {
  const lag = createLag(() => performance.now());
  let changed = 0;

  const sweepShow = async (show: string, stopping: AbortSignal): Promise<void> => {
    for (let call = 0; call < MAX_CALLS && !stopping.aborted; call++) {
      const swept = await inventory.sweep(show);
      changed += swept.changed;
      for (const dropId of swept.draws) await inventory.draw(show, dropId);
      if (swept.changed === 0) return;
    }
  };
  const round = async (stopping: AbortSignal): Promise<void> => {
    const all = [...shows()];
    for (let i = 0; i < all.length && !stopping.aborted; i += MAX_TOGETHER)
      await Promise.all(all.slice(i, i + MAX_TOGETHER).map((show) => sweepShow(show, stopping)));
    lag.looked();
  };
  const { stop } = startLoop({ name: "sweeper", everyMs, log, step: round });
  return {
    name: "sweeper",
    stop,
    get lagMs() {
      return Math.round(lag.currentMs());
    },
    get changed() {
      return changed;
    },
  };
}

/** Longest time between looks within this window of 2 s or the one before it; a gap that still grows counts. */
function createLag(nowMs: () => number): { looked(): void; currentMs(): number } {
  const windowMs = 2000;
  let lastMs = nowMs();
  let windowAtMs = lastMs;
  let longestMs = 0;
  let previousMs = 0;
  return {
    looked() {
      const atMs = nowMs();
      longestMs = Math.max(longestMs, atMs - lastMs);
      lastMs = atMs;
      if (atMs - windowAtMs < windowMs) return;
      previousMs = longestMs;
      longestMs = 0;
      windowAtMs = atMs;
    },
    currentMs: () => Math.max(previousMs, longestMs, nowMs() - lastMs),
  };
}

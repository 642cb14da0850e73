/**
 * How late this process's loop is. Looks 25 times a second: each look wakes the loop, and a hundred of them were most of an idle
 * gateway's wakes (counted; in CPU time the difference is below the noise).
 */
import { monitorEventLoopDelay } from "node:perf_hooks";

const LOOK_EVERY_MS = 40;

export interface LoopDelay {
  /** Of the looks since the last `reset`, ms. */
  p99Ms(): number;
  reset(): void;
  stop(): void;
}

export function startLoopDelay(): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: LOOK_EVERY_MS });
  histogram.enable();
  return {
    // It counts from one look to the next; how late one was is what is beyond.
    p99Ms: () => Math.max(0, Math.round(histogram.percentile(99) / 1e5 - LOOK_EVERY_MS * 10) / 10),
    reset: () => histogram.reset(),
    stop: () => void histogram.disable(),
  };
}

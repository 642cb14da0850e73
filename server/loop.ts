/**
 * Does one thing again and again, never twice at once, until it is stopped. An outage of Redis is one warning when it begins
 * and one line when it ends; the next round tries again. Any other error is a bug and ends the process.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { Part } from "./lifecycle.ts";
import { isOutage } from "./redis/outage.ts";

export interface LoopOptions {
  readonly name: string;
  /** From the end of one round to the beginning of the next. */
  readonly everyMs: number;
  readonly log: Logger;
  /** One round; should end soon after the signal. */
  readonly step: (stopping: AbortSignal) => Promise<void>;
}

export function startLoop({ name, everyMs, log, step }: LoopOptions): Part {
  const stopping = new AbortController();
  const { signal } = stopping;
  let down = false;

  const round = async (): Promise<void> => {
    try {
      await step(signal);
      if (down) log.info(`${name}: works again`);
      down = false;
    } catch (fault) {
      if (signal.aborted) return;
      if (!isOutage(fault)) throw fault;
      if (!down) log.warn({ reason: (fault as Error).message }, `${name}: waits for Redis`);
      down = true;
    }
  };
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await round();
      await pause(everyMs, signal);
    }
  };
  const running = run();
  return {
    name,
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

/** Waits, or returns at once when the signal comes. Leaves no timer and no listener behind. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/**
 * How long this process has taken for something, on a machine that others use too: the time in which it computed, and that in which
 * it waited for the world. Left out is the time in which it could have gone on and was not let.
 */
import { performance } from "node:perf_hooks";

/** Starts now. @returns ms since then */
export function ownTime(): () => number {
  const loop = performance.eventLoopUtilization();
  const cpu = process.cpuUsage();
  return () => {
    const { idle } = performance.eventLoopUtilization(loop);
    const { user, system } = process.cpuUsage(cpu);
    return idle + (user + system) / 1000;
  };
}

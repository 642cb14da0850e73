/** This process's own figures, written to Redis each second beside those of gateways and media processes. */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Part } from "../lifecycle.ts";
import { startLoop } from "../loop.ts";
import { startLoopDelay } from "../loop-delay.ts";
import { NODES_KEY } from "../redis/keys.ts";
import { forgetNodes } from "./nodes.ts";
import { nowOf } from "./reading.ts";

const EVERY_MS = 1000;
/** Percentiles are of the last this many. */
const WINDOW_REPORTS = 10;

export interface ReportingPorts {
  readonly redis: Redis;
  readonly node: string;
  readonly log: Logger;
  /** Figures besides those that every process has. */
  readonly figures: () => Readonly<Record<string, number>>;
}

export function startReporting({ redis, node, log, figures }: ReportingPorts): Part {
  const loopDelay = startLoopDelay();
  let cpu = process.cpuUsage();
  let cpuAtMs = performance.now();
  let reports = 0;
  /** Cores in use since the last report: 1 is one core. */
  const cpuShare = (): number => {
    const { user, system } = process.cpuUsage(cpu);
    const tookMs = performance.now() - cpuAtMs;
    cpu = process.cpuUsage();
    cpuAtMs = performance.now();
    return Math.round((user + system) / tookMs) / 1000;
  };
  const report = async (): Promise<void> => {
    const atMs = await nowOf(redis);
    const own = {
      cpu: cpuShare(),
      rssBytes: process.memoryUsage.rss(),
      loopDelayP99Ms: loopDelay.p99Ms(),
    };
    if (++reports % WINDOW_REPORTS === 0) loopDelay.reset();
    await redis.hset(
      NODES_KEY,
      node,
      JSON.stringify({ node, role: "control", pid: process.pid, atMs, ...own, ...figures() }),
    );
    await forgetNodes(redis, atMs);
  };
  const loop = startLoop({ name: "reporting", everyMs: EVERY_MS, log, step: report });
  return {
    name: "reporting",
    async stop() {
      loopDelay.stop();
      await loop.stop();
      await leave();
    },
  };
  /** So that a stopped process is gone at once; if Redis is away, its report grows old instead. */
  async function leave(): Promise<void> {
    if (redis.status === "ready") await redis.hdel(NODES_KEY, node);
  }
}

/**
 * One gateway's figures: counted where things happen, written once a second to Redis for the operator's page and /metrics.
 * Nothing here is invented: each is a count or a measured duration of this process.
 */
import { createHistogram } from "node:perf_hooks";
import type { Redis } from "ioredis";
import { startLoopDelay } from "../loop-delay.ts";
import { NODES_KEY } from "../redis/keys.ts";

export interface Figures {
  commentsIn: number;
  likesIn: number;
  holdsAsked: number;
  /** Refused from local knowledge, without Redis. */
  refusedHere: number;
  /** Tries to buy that were answered with a no, by the answer. */
  readonly refused: Record<string, number>;
  /** Tries to buy with something odd about them. */
  flagged: number;
  holdTook(ms: number): void;
  /** From the log's append (Redis TIME) to our publish. */
  readonly fanoutTook: (ms: number) => void;
}

/** Gauges read at the moment of writing. */
export interface Gauges {
  readonly viewers: number;
  /** Of the connections, those that hear fewer comments, and none, because they cannot keep up. */
  readonly viewersLite: number;
  readonly viewersCore: number;
  /** The longest tick of a room now. */
  readonly tickMs: number;
  readonly connections: number;
  readonly rooms: number;
  readonly framesIn: number;
  readonly framesOut: number;
  readonly bytesOut: number;
  readonly batches: number;
  readonly batchSizeMean: number;
  readonly closes: Readonly<Partial<Record<string, number>>>;
}

const EVERY_MS = 1000;
/** Percentiles are of the last this many seconds. */
const WINDOW_SECONDS = 10;

export interface FiguresPorts {
  readonly redis: Redis;
  readonly node: string;
  readonly redisNowMs: () => number;
  readonly gauges: () => Gauges;
}

export function startFigures({
  redis,
  node,
  redisNowMs,
  gauges,
}: FiguresPorts): Figures & { stop(): Promise<void> } {
  const holds = createHistogram();
  const fanout = createHistogram();
  const loop = startLoopDelay();
  let cpuBefore = process.cpuUsage();
  let beforeMs = performance.now();
  let writes = 0;

  const figures: Figures = {
    commentsIn: 0,
    likesIn: 0,
    holdsAsked: 0,
    refusedHere: 0,
    refused: {},
    flagged: 0,
    holdTook: (ms) => holds.record(Math.max(1, Math.round(ms * 1000))),
    fanoutTook: (ms) => fanout.record(Math.max(1, Math.round(ms * 1000))),
  };

  const write = async (): Promise<void> => {
    const { user, system } = process.cpuUsage(cpuBefore);
    const tookMs = performance.now() - beforeMs;
    cpuBefore = process.cpuUsage();
    beforeMs = performance.now();
    const { commentsIn, likesIn, holdsAsked, refusedHere, refused, flagged } = figures;
    const entry = {
      node,
      role: "gateway",
      pid: process.pid,
      atMs: Math.floor(redisNowMs()),
      ...gauges(),
      commentsIn,
      likesIn,
      holdsAsked,
      refusedHere,
      holdsFlagged: flagged,
      ...named(refused),
      holdP50Ms: quantileMs(holds, 50),
      holdP99Ms: quantileMs(holds, 99),
      fanoutP50Ms: quantileMs(fanout, 50),
      fanoutP99Ms: quantileMs(fanout, 99),
      loopDelayP99Ms: loop.p99Ms(),
      cpu: (user + system) / 1000 / tookMs,
      rssBytes: process.memoryUsage.rss(),
    };
    if (++writes % WINDOW_SECONDS === 0) {
      holds.reset();
      fanout.reset();
      loop.reset();
    }
    await redis.hset(NODES_KEY, node, JSON.stringify(entry));
  };
  // A failed write shows as a stale entry, which is what the operator needs to see then.
  const timer = setInterval(() => void write().catch(() => undefined), EVERY_MS);
  return Object.assign(figures, {
    async stop() {
      clearInterval(timer);
      loop.stop();
      await redis.hdel(NODES_KEY, node).catch(() => undefined);
    },
  });
}

/** Histograms count µs; null: nothing was measured. */
const quantileMs = (
  of: { readonly count: number; percentile(p: number): number },
  percentile: number,
): number | null => (of.count === 0 ? null : of.percentile(percentile) / 1000);

/** `{tooFast: 2}` as `{refusedTooFast: 2}`: a report is flat. */
const named = (refused: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(refused).map(([answer, count]) => [
      `refused${answer.charAt(0).toUpperCase()}${answer.slice(1)}`,
      count,
    ]),
  );

/**
 * The private Redis of a server without REDIS_URL: data in DATA_DIR/redis, started with us, stopped after everything
 * else, started again on the same data when it dies. An orphan of a killed supervisor is shut down cleanly first:
 * two servers on one append-only file would ruin it. The caller holds the lock of the data folder.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createBackoff } from "../backoff.ts";
import type { Logger } from "../log.ts";
import { commandLineOf, isAlive } from "../process-table.ts";
import { type RedisProcess, startRedisProcess } from "./process.ts";
import { socketPathFor } from "./socket-path.ts";
import { checkRedisServer, findRedisServer } from "./version.ts";

export interface EmbeddedRedisOptions {
  readonly dataDir: string;
  readonly log: Logger;
  /** REDIS_SERVER_BIN */
  readonly program?: string | undefined;
  readonly onDied?: () => void;
  readonly onUp?: () => void;
}

export interface EmbeddedRedis {
  /** `unix:///path`, for `connectRedis` */
  readonly url: string;
  readonly pid: number;
  readonly version: string;
  stop(): Promise<void>;
}

/** @throws Refusal without a usable redis-server */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const { log } = options;
  const dir = join(options.dataDir, "redis");
  const program = findRedisServer(options.program);
  const version = await checkRedisServer(program);
  await endOrphan(dir, log);

  const stop = new AbortController();
  const backoff = createBackoff();
  let restarting: Promise<void> = Promise.resolve();
  const startAgain = async (redis: RedisProcess): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        await sleep(backoff.delayMs(), undefined, { signal: stop.signal });
        backoff.started();
        await redis.restart();
        log.info({ pid: redis.pid }, "Redis runs again");
        options.onUp?.();
        return;
      } catch (error) {
        if (!stop.signal.aborted) log.error({ err: error }, "Redis does not come back");
      }
    }
  };
  const redis: RedisProcess = await startRedisProcess({
    dir,
    ...(program === undefined ? {} : { program }),
    onLine: (line) => log.debug({ line }, "Redis says"),
    onExit(how) {
      log.error({ how }, "Redis died");
      options.onDied?.();
      restarting = startAgain(redis);
    },
  });
  log.info({ pid: redis.pid, version }, "Redis is up");
  return {
    url: redis.url,
    version,
    get pid() {
      return redis.pid;
    },
    async stop() {
      stop.abort();
      await redis.stop();
      await restarting;
    },
  };
}

const maxOrphanEndMs = 30_000;

/** Ends the redis-server that a killed supervisor left on this folder. */
async function endOrphan(dir: string, log: Logger): Promise<void> {
  const pid = orphanIn(dir);
  if (pid === undefined) return;
  log.warn({ pid }, "shutting down a Redis that an earlier run left behind");
  process.kill(pid, "SIGTERM");
  const killAtMs = performance.now() + maxOrphanEndMs;
  while (isAlive(pid)) {
    if (performance.now() > killAtMs) process.kill(pid, "SIGKILL");
    await sleep(20);
  }
}

/** The process of the pid file, if it is still the redis-server of this folder and not another one with its number. */
function orphanIn(dir: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(join(dir, "redis.pid"), "utf8");
  } catch (error) {
    // No pid file: the last run ended as it should.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const pid = Number(text);
  const isOurs = Number.isInteger(pid) && pid > 1 && isAlive(pid);
  return isOurs && commandLineOf(pid).includes(socketPathFor(dir)) ? pid : undefined;
}

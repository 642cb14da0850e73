/**
 * Makes connections to Redis. What a connection is for decides how it fails:
 * - `command`: fails fast. No queue while offline, no command waits longer than 2 s. A command that was under way
 *   when the connection broke may be sent again by ioredis (measured): every mutating call must be idempotent.
 * - `blocking` (XREAD BLOCK): waits for ever and carries on after an outage.
 * - `subscriber`: resubscribes by itself after an outage.
 * An outage is one warning when it begins and one line when it ends, however long it lasts.
 */
import { Redis, type RedisOptions } from "ioredis";
import type { Logger } from "../log.ts";

/** Without the one option whose type the constructor does not take under exactOptionalPropertyTypes. */
type ConnectOptions = Omit<RedisOptions, "replyMapping">;

export type RedisPurpose = "command" | "blocking" | "subscriber";

const commandTimeoutMs = 2000;
const connectTimeoutMs = 2000;
const longestRetryMs = 1000;

/** 20, 40, 80 … 1000 ms, each shortened by up to a half so that processes do not come back in step. */
const retryDelayMs = (attempt: number): number =>
  Math.min(longestRetryMs, 20 * 2 ** Math.min(attempt - 1, 6)) * (0.5 + Math.random() / 2);

const BY_PURPOSE: Readonly<Record<RedisPurpose, ConnectOptions>> = {
  command: { commandTimeout: commandTimeoutMs, enableOfflineQueue: false, maxRetriesPerRequest: 1 },
  blocking: { maxRetriesPerRequest: null },
  subscriber: { maxRetriesPerRequest: null, autoResubscribe: true },
};

/**
 * Starts connecting at once; `whenReady` waits for it. Close with `quit()` or `disconnect()`.
 * @param target `redis://…`, `rediss://…`, `unix:///path` or the path of a unix socket
 */
export function connectRedis(target: string, purpose: RedisPurpose, log?: Logger): Redis {
  const options: ConnectOptions = {
    ...BY_PURPOSE[purpose],
    connectTimeout: connectTimeoutMs,
    retryStrategy: retryDelayMs,
    connectionName: `dropcast-${purpose}`,
  };
  const path = socketPath(target);
  const redis = path === undefined ? new Redis(target, options) : new Redis({ ...options, path });
  let down = false;
  redis.on("error", (error: Error) => {
    if (!down) log?.warn({ purpose, reason: error.message }, "Redis is out of reach, trying again");
    down = true;
  });
  redis.on("ready", () => {
    if (down) log?.info({ purpose }, "Redis is back");
    down = false;
  });
  return redis;
}

/** Resolves once commands may be sent. @throws the last connection error after `maxMs` */
export async function whenReady(redis: Redis, maxMs = 10_000): Promise<void> {
  if (redis.status === "ready") return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let last = new Error(`Redis did not answer within ${maxMs} ms`);
  const remember = (error: Error): void => {
    last = error;
  };
  const timer = setTimeout(() => reject(last), maxMs);
  redis.once("ready", resolve);
  redis.on("error", remember);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    redis.off("ready", resolve);
    redis.off("error", remember);
  }
}

/** The path in `unix:///path` or `/path`; undefined for a URL of a host. */
const socketPath = (target: string): string | undefined => {
  if (target.startsWith("unix://")) return decodeURIComponent(target.slice("unix://".length));
  return target.startsWith("/") ? target : undefined;
};

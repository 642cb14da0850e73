/**
 * Makes connections to Redis. What a connection is for decides how it fails:
 * - `command`: fails fast. No queue while offline, no command waits longer than 2 s. A command that was under way
 *   when the connection broke may be sent again by ioredis (measured): every mutating call must be idempotent.
 * - `blocking` (XREAD BLOCK): waits for ever and carries on after an outage.
 * - `subscriber`: resubscribes by itself after an outage.
 * An outage is one warning when it begins and one line when it ends, however long it lasts.
 */
import { Cluster, Redis, type RedisOptions } from "ioredis";
import type { Logger } from "../log.ts";
import { connectorTo, type Server } from "./failover.ts";

/** Without the one option whose type the constructor does not take under exactOptionalPropertyTypes. */
type ConnectOptions = Omit<RedisOptions, "replyMapping">;

export type RedisPurpose = "command" | "blocking" | "subscriber";

const commandTimeoutMs = 2000;
const connectTimeoutMs = 2000;
/** A connection that says nothing for so long, though something was asked, is given up: a network that swallows bytes closes nothing. */
const silentMs = { command: 2500, blocking: 5000 } as const;
const longestRetryMs = 1000;
/** How long a Cluster client may follow an old map of slots, unless a server tells it before. */
const slotsRefreshMs = 1000;

/** 20, 40, 80 … 1000 ms, each shortened by up to a half so that processes do not come back in step. */
const retryDelayMs = (attempt: number): number =>
  Math.min(longestRetryMs, 20 * 2 ** Math.min(attempt - 1, 6)) * (0.5 + Math.random() / 2);

const BY_PURPOSE: Readonly<Record<RedisPurpose, ConnectOptions>> = {
  command: {
    commandTimeout: commandTimeoutMs,
    socketTimeout: silentMs.command,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
  },
  blocking: { socketTimeout: silentMs.blocking, maxRetriesPerRequest: null },
  subscriber: { maxRetriesPerRequest: null, autoResubscribe: true },
};

/**
 * Starts connecting at once; `whenReady` waits for it. Close with `quit()` or `disconnect()`.
 * @param target `redis://…`, `rediss://…`, `unix:///path`, the path of a unix socket, or several servers as
 * `redis+failover://[user:password@]host:port,…` (a primary and its replicas) or `redis+cluster://…` (some nodes of a Cluster; the
 * client then passes for a `Redis`, see place.ts)
 */
export function connectRedis(target: string, purpose: RedisPurpose, log?: Logger): Redis {
  const options: ConnectOptions = {
    ...BY_PURPOSE[purpose],
    connectTimeout: connectTimeoutMs,
    retryStrategy: retryDelayMs,
    connectionName: `dropcast-${purpose}`,
  };
  const redis = clientTo(target, options);
  if (purpose === "subscriber") watchSubscribing(redis);
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

/**
 * ioredis subscribes again by itself after an outage and leaves the promise lying: told to close before the answer, it would fail with
 * nobody looking, and that ends a process. Whoever asks for a channel still hears of a failure.
 */
function watchSubscribing(redis: Redis): void {
  const subscribe = redis.subscribe.bind(redis) as (...names: unknown[]) => Promise<unknown>;
  const watched = (...names: unknown[]): Promise<unknown> => {
    const subscribed = subscribe(...names);
    subscribed.catch(() => undefined);
    return subscribed;
  };
  redis.subscribe = watched;
}

/** One server of a Cluster. @param address `host:port` @returns a target for `connectRedis` */
export const oneOf = (target: string, address: string): string =>
  `redis://${/\/\/([^@/]*@)?/.exec(target)?.[1] ?? ""}${address}`;

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

function clientTo(target: string, options: ConnectOptions): Redis {
  const several = /^redis\+(failover|cluster):\/\//.exec(target)?.[1];
  if (several === undefined) {
    const path = socketPath(target);
    return path === undefined ? new Redis(target, options) : new Redis({ ...options, path });
  }
  const { servers, ...login } = severalIn(target);
  if (several === "failover")
    return new Redis({
      ...options,
      ...login,
      Connector: connectorTo(servers, login),
      // Demoted while we were connected: find the new primary. The command itself is not sent again: it failed, and says so.
      reconnectOnError: ({ message }) => (/^(READONLY|UNBLOCKED)/.test(message) ? 1 : false),
    });
  const { enableOfflineQueue = true, retryStrategy: _ours, ...each } = options;
  const cluster = new Cluster([...servers], {
    enableOfflineQueue,
    clusterRetryStrategy: retryDelayMs,
    clusterNodeRetryStrategy: retryDelayMs,
    slotsRefreshTimeout: connectTimeoutMs,
    slotsRefreshInterval: slotsRefreshMs,
    redisOptions: { ...each, ...login },
  });
  return cluster as unknown as Redis;
}

/** @throws when the address cannot be read */
function severalIn(target: string): {
  readonly servers: readonly Server[];
  readonly username?: string;
  readonly password?: string;
} {
  const [, user = "", list = ""] = /^[^/]*\/\/(?:([^@/]*)@)?([^@/]+)\/?$/.exec(target) ?? [];
  const servers = list.split(",").map((address) => {
    const [, host, port] = /^(.+?):(\d+)$/.exec(address) ?? [];
    if (host === undefined) throw new Error("expected host:port,host:port …");
    return { host, port: Number(port) };
  });
  const [username = "", password] = user.split(":").map(decodeURIComponent);
  return {
    servers,
    ...(username === "" ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

/** The path in `unix:///path` or `/path`; undefined for a URL of a host. */
const socketPath = (target: string): string | undefined => {
  if (target.startsWith("unix://")) return decodeURIComponent(target.slice("unix://".length));
  return target.startsWith("/") ? target : undefined;
};

/**
 * Checks the Redis of REDIS_URL before anything is built on it: reachable and new enough, or a refusal with the
 * remedy. Settings that weaken a promise are reported as weaknesses; a server that forbids CONFIG is believed.
 */
import type { Redis } from "ioredis";
import { Refusal } from "../refusal.ts";
import { connectRedis, whenReady } from "./connect.ts";
import { primariesOf } from "./place.ts";
import { isNewEnough, versionIn } from "./version.ts";

export interface RedisFacts {
  readonly version: string;
  /** Redis TIME minus this machine's clock. */
  readonly clockAheadMs: number;
  /** One line each, with its remedy. */
  readonly weaknesses: readonly string[];
}

const maxWaitMs = 5000;

/** @throws Refusal when it cannot be reached or is older than 7.0 */
export async function checkExternalRedis(url: string): Promise<RedisFacts> {
  const redis = connectRedis(url, "command");
  try {
    await whenReady(redis, maxWaitMs);
    const servers = primariesOf(redis);
    const versions = await Promise.all(
      servers.map(async (server) => versionIn(await server.info("server"))),
    );
    for (const version of versions)
      if (version === undefined || !isNewEnough(version))
        throw new Refusal(
          `REDIS_URL: ${withoutPassword(url)} is Redis ${version ?? "of an unknown version"}, too old: use Redis 7.0 or newer, or unset REDIS_URL to use a private one`,
        );
    return {
      version: versions.join(", "),
      clockAheadMs: await clockAheadMs(redis),
      weaknesses: [...new Set((await Promise.all(servers.map(weaknessesOf))).flat())],
    };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(
      `REDIS_URL: ${withoutPassword(url)} cannot be used (${(error as Error).message}): start it, correct REDIS_URL, or unset it to use a private Redis`,
    );
  } finally {
    redis.disconnect();
  }
}

async function clockAheadMs(redis: Redis): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Math.round(Number(seconds) * 1000 + Number(micros) / 1000 - Date.now());
}

async function weaknessesOf(redis: Redis): Promise<string[]> {
  const found: string[] = [];
  const appendOnly = await setting(redis, "appendonly");
  const fsync = await setting(redis, "appendfsync");
  const eviction = await setting(redis, "maxmemory-policy");
  if (appendOnly === "no") {
    found.push(
      "Redis keeps nothing on disk: a crash loses acknowledged holds. Set appendonly yes, appendfsync always",
    );
  } else if (fsync !== undefined && fsync !== "always") {
    found.push(
      `Redis has appendfsync ${fsync}: a crash may lose the last second of holds. Set appendfsync always`,
    );
  }
  if (eviction !== undefined && eviction !== "noeviction") {
    found.push(
      `Redis has maxmemory-policy ${eviction}: a full memory would drop stock. Set noeviction`,
    );
  }
  return found;
}

/** undefined where CONFIG is forbidden, as on hosted servers. */
async function setting(redis: Redis, name: string): Promise<string | undefined> {
  try {
    const answer = await redis.config("GET", name);
    return Array.isArray(answer) ? String(answer[1]) : undefined;
  } catch (error) {
    if (redis.status !== "ready") throw error;
    return undefined;
  }
}

const withoutPassword = (url: string): string => url.replace(/\/\/[^@/]*@/, "//…@");

/** The Redis that will be used: its version, whether it keeps what it acknowledged, and its clock. */
import type { Config } from "../config.ts";
import { Refusal } from "../refusal.ts";
import { type RedisFacts, checkExternalRedis } from "../redis/external.ts";
import { checkRedisServer, findRedisServer } from "../redis/version.ts";
import type { Finding } from "./finding.ts";

/** Sales go by Redis TIME; a machine further off than this shows its viewers a wrong countdown at first. */
const maxClockDifferenceMs = 500;

export async function checkRedis(config: Config): Promise<readonly Finding[]> {
  try {
    if (config.redisUrl !== undefined) return found(await checkExternalRedis(config.redisUrl));
    const version = await checkRedisServer(findRedisServer(config.redisServerBin));
    return [
      {
        verdict: "fine",
        what: `redis-server ${version} for the private Redis (appendfsync always)`,
      },
    ];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [{ verdict: "broken", what: error.message }];
  }
}

function found({ version, weaknesses, clockAheadMs }: RedisFacts): readonly Finding[] {
  const apart = Math.abs(clockAheadMs);
  return [
    { verdict: "fine", what: `Redis ${version} of REDIS_URL answers` },
    ...weaknesses.map((what): Finding => ({ verdict: "weak", what })),
    apart <= maxClockDifferenceMs
      ? { verdict: "fine", what: `the clock of Redis is ${apart} ms from ours` }
      : {
          verdict: "broken",
          what: `the clock of Redis is ${apart} ms ${clockAheadMs > 0 ? "ahead of" : "behind"} ours`,
          remedy: "synchronise both machines (sudo apt-get install chrony)",
        },
  ];
}

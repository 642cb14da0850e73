/** A throwaway Redis of one test file: a real `redis-server` on a unix socket in a folder of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type RedisProcess,
  type RedisProcessOptions,
  startRedisProcess,
} from "../../server/redis/process.ts";

export interface ThrowawayRedis extends RedisProcess {
  readonly dir: string;
}

/**
 * `kill("SIGKILL")` and `restart()` keep the data; `stop()` ends it and removes the folder.
 * @param options `fsyncAlways: false` where no test kills it: several times faster on a slow disk
 */
export async function startThrowawayRedis(
  options: Omit<RedisProcessOptions, "dir"> = {},
): Promise<ThrowawayRedis> {
  const dir = mkdtempSync(join(tmpdir(), "dropcast-redis-"));
  const redis = await startRedisProcess({ ...options, dir });
  return {
    dir,
    url: redis.url,
    path: redis.path,
    get pid() {
      return redis.pid;
    },
    get alive() {
      return redis.alive;
    },
    kill: (signal) => redis.kill(signal),
    restart: () => redis.restart(),
    async stop() {
      await redis.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

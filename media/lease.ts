/**
 * This process's lease in the Redis hash `dropcast:media`: every second its load and how long, by Redis' clock, it counts
 * as alive. Never two renewals at once; one that fails is left to the next.
 */
import type { Redis } from "ioredis";
import type { MediaLease } from "#wire";
import { MEDIA_LIMITS } from "./limits.ts";
import type { Log } from "./log.ts";

const MEDIA_LEASES = "dropcast:media";

export interface LeaseOptions {
  readonly redis: Redis;
  readonly node: string;
  /** Called before each renewal. */
  readonly facts: () => Promise<Pick<MediaLease, "sessions" | "workers">>;
  readonly log: Log;
}

export interface Lease {
  /** Removes it. */
  stop(): Promise<void>;
}

/** Resolves once the first lease is written. */
export async function holdLease({ redis, node, facts, log }: LeaseOptions): Promise<Lease> {
  const renew = async (): Promise<void> => {
    const now = await facts();
    const [seconds, micros] = await redis.time();
    const atMs = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
    const lease: MediaLease = { node, untilMs: atMs + MEDIA_LIMITS.leaseLastsMs, ...now };
    await redis.hset(MEDIA_LEASES, node, JSON.stringify(lease));
  };
  await renew();
  let renewing = Promise.resolve();
  let failing = false;
  /** Says when it begins to fail and when that is over, not every second. */
  const attempt = async (): Promise<void> => {
    try {
      await renew();
      if (failing) log.info({ node }, "media lease renewed again");
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ reason: String(error) }, "media lease not renewed");
      failing = true;
    }
  };
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    renewing = attempt().finally(() => (busy = false));
  }, MEDIA_LIMITS.leaseEveryMs);
  return {
    async stop() {
      clearInterval(timer);
      // With Redis gone a renewal may wait for its return; the lease then runs out by itself.
      if (redis.status !== "ready") return;
      await renewing;
      await redis
        .hdel(MEDIA_LEASES, node)
        .catch((error: unknown) => log.warn({ reason: String(error) }, "media lease not removed"));
    },
  };
}

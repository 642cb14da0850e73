/**
 * Redis TIME as seen from this process: the one clock of every sale, for deadlines shown to viewers and for welcome frames.
 * Runs on the monotonic clock, so a wall clock that jumps here moves nothing. Asked every 5 s; the error is at most half the
 * shortest round trip of the last eight.
 */
import type { Redis } from "ioredis";

export interface RedisClock {
  /** ms since 1970 */
  readonly now: () => number;
  stop(): void;
}

const EVERY_MS = 5000;

export async function startRedisClock(redis: Redis): Promise<RedisClock> {
  let probes: readonly { readonly tripMs: number; readonly offsetMs: number }[] = [];
  let offsetMs = 0;
  const probe = async (): Promise<void> => {
    const sentMs = performance.now();
    const [seconds, micros] = await redis.time();
    const tripMs = performance.now() - sentMs;
    const serverMs = Number(seconds) * 1000 + Number(micros) / 1000;
    probes = [...probes.slice(-7), { tripMs, offsetMs: serverMs - sentMs - tripMs / 2 }];
    offsetMs = probes.reduce((best, p) => (p.tripMs < best.tripMs ? p : best)).offsetMs;
  };
  await probe();
  // A failed probe changes nothing: the last offset holds until Redis is back.
  const timer = setInterval(() => void probe().catch(() => undefined), EVERY_MS);
  return { now: () => performance.now() + offsetMs, stop: () => clearInterval(timer) };
}

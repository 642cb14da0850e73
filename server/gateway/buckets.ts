/**
 * Token buckets by key (a viewer, an address): `burst` at once, `perSecond` refilled. Full buckets are forgotten, so memory
 * is bounded by those who were busy within the last `burst / perSecond` seconds.
 */
export interface Buckets {
  /** @returns 0 when taken, else the ms after which one more will be there */
  take(key: string, nowMs: number): number;
  readonly size: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

const SWEEP_EVERY = 4096;

export function createBuckets(burst: number, perSecond: number): Buckets {
  const buckets = new Map<string, Bucket>();
  let untilSweep = SWEEP_EVERY;
  const level = (b: Bucket, nowMs: number): number =>
    Math.min(burst, b.tokens + ((nowMs - b.atMs) / 1000) * perSecond);
  return {
    take(key, nowMs) {
      if (--untilSweep === 0) {
        untilSweep = SWEEP_EVERY;
        for (const [k, b] of buckets) if (level(b, nowMs) >= burst) buckets.delete(k);
      }
      let bucket = buckets.get(key);
      if (bucket === undefined) buckets.set(key, (bucket = { tokens: burst, atMs: nowMs }));
      const tokens = level(bucket, nowMs);
      bucket.atMs = nowMs;
      bucket.tokens = tokens >= 1 ? tokens - 1 : tokens;
      return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) / perSecond) * 1000);
    },
    get size() {
      return buckets.size;
    },
  };
}

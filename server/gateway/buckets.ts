/**
 * Token buckets by key (a viewer, an address): `burst` at once, `perSecond` refilled. Full buckets are forgotten whenever their
 * number has doubled, so memory is bounded by those who were busy within the last `burst / perSecond` seconds, and forgetting
 * costs each of them about one look.
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

const LEAST_SWEPT = 4096;

export function createBuckets(burst: number, perSecond: number): Buckets {
  const buckets = new Map<string, Bucket>();
  let sweepAt = LEAST_SWEPT;
  const level = (b: Bucket, nowMs: number): number =>
    Math.min(burst, b.tokens + ((nowMs - b.atMs) / 1000) * perSecond);
  const sweep = (nowMs: number): void => {
    for (const [key, bucket] of buckets) if (level(bucket, nowMs) >= burst) buckets.delete(key);
    sweepAt = Math.max(LEAST_SWEPT, 2 * buckets.size);
  };
  return {
    take(key, nowMs) {
      let bucket = buckets.get(key);
      if (bucket === undefined) {
        if (buckets.size >= sweepAt) sweep(nowMs);
        buckets.set(key, (bucket = { tokens: burst, atMs: nowMs }));
      }
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

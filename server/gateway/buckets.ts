/**
 * Token buckets by key (a viewer, an address): `burst` at once, `perSecond` refilled. Full buckets are forgotten whenever their
 * number has doubled, so memory is bounded by those who were busy within the last `burst / perSecond` seconds, and forgetting
 * costs each of them about one look.
 */
export interface Buckets {
  /** @returns 0 when taken, else the ms after which one more will be there */
  take(key: string, nowMs: number): number;
  /** The key's bucket: who comes often keeps it, and saves the look-up. @param had what it kept; it may have been forgotten since */
  bucketOf(had: Bucket | undefined, key: string, nowMs: number): Bucket;
  takeFrom(bucket: Bucket, nowMs: number): number;
  readonly size: number;
}

export interface Bucket {
  tokens: number;
  atMs: number;
  isForgotten: boolean;
}

const LEAST_SWEPT = 4096;

export function createBuckets(burst: number, perSecond: number): Buckets {
  const buckets = new Map<string, Bucket>();
  let sweepAt = LEAST_SWEPT;
  const level = (b: Bucket, nowMs: number): number =>
    Math.min(burst, b.tokens + ((nowMs - b.atMs) / 1000) * perSecond);
  const sweep = (nowMs: number): void => {
    for (const [key, bucket] of buckets) {
      if (level(bucket, nowMs) < burst) continue;
      bucket.isForgotten = true;
      buckets.delete(key);
    }
    sweepAt = Math.max(LEAST_SWEPT, 2 * buckets.size);
  };
  const bucketOf: Buckets["bucketOf"] = (had, key, nowMs) => {
    if (had?.isForgotten === false) return had;
    const known = buckets.get(key);
    if (known !== undefined) return known;
    if (buckets.size >= sweepAt) sweep(nowMs);
    const bucket = { tokens: burst, atMs: nowMs, isForgotten: false };
    buckets.set(key, bucket);
    return bucket;
  };
  const takeFrom = (bucket: Bucket, nowMs: number): number => {
    const tokens = level(bucket, nowMs);
    bucket.atMs = nowMs;
    bucket.tokens = tokens >= 1 ? tokens - 1 : tokens;
    return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) / perSecond) * 1000);
  };
  return {
    take: (key, nowMs) => takeFrom(bucketOf(undefined, key, nowMs), nowMs),
    bucketOf,
    takeFrom,
    get size() {
      return buckets.size;
    },
  };
}

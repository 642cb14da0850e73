/**
 * Token buckets by network address: `burst` at once, refilled at `perSecond`. Pure: the clock is given. An IPv6 network of
 * 64 bits counts as one address. Costs one number per address (generic cell rate algorithm, ITU-T I.371: the moment at
 * which its bucket is full again); memory is bounded, and full buckets are forgotten.
 */
export interface Buckets {
  /** Takes one. @returns 0, or how long (ms) to wait until there is one */
  take(address: string): number;
}

const MAX_KEPT = 50_000;

export function createBuckets(perSecond: number, burst: number, nowMs: () => number): Buckets {
  const fullAtMs = new Map<string, number>();
  const refillMs = 1000 / perSecond;
  const forget = (at: number): void => {
    for (const [network, fullAt] of fullAtMs) if (fullAt <= at) fullAtMs.delete(network);
    // Still too many: a flood from many networks. The oldest get a new start.
    for (const network of fullAtMs.keys()) {
      if (fullAtMs.size <= MAX_KEPT / 2) return;
      fullAtMs.delete(network);
    }
  };
  return {
    take(address) {
      const at = nowMs();
      const network = networkOf(address);
      const fullAt = Math.max(fullAtMs.get(network) ?? 0, at);
      const waitMs = fullAt - at - (burst - 1) * refillMs;
      if (waitMs > 0) return Math.ceil(waitMs);
      fullAtMs.set(network, fullAt + refillMs);
      if (fullAtMs.size > MAX_KEPT) forget(at);
      return 0;
    },
  };
}

/** RFC 4291: the first 64 bits are the network, the rest is the customer's own. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  return [...front, ...Array<string>(zeros).fill("0"), ...back].slice(0, 4).join(":");
}

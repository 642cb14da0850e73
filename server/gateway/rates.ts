/**
 * How often one may do what costs others something, on this node: by viewer (all its devices), by token (one device), and by public
 * network address. What is beyond is answered `tooFast` with a delay; nothing is closed, nobody is banned.
 * Costs one or two map lookups per request, for holds none; memory is bounded by who was busy within the last seconds.
 */
import { LIMITS } from "#wire";
import { type Bucket, createBuckets } from "./buckets.ts";
import { networkOf } from "./network.ts";

/** Who asks, as far as rates go. */
export interface Asker {
  readonly show: string;
  readonly viewerId: string;
  /** Names the token it came with. */
  readonly tokenNo: number;
  readonly address: string;
  /** Both made of the above, where somebody keeps them. */
  readonly who?: string;
  readonly device?: string;
  /** What limits its address, where somebody keeps it; "": nothing. */
  readonly network?: string;
  /** Its buckets of holds, kept here by `Rates` so that a rush looks nobody up. */
  viewerHolds?: Bucket | undefined;
  tokenHolds?: Bucket | undefined;
}

export interface Rates {
  /** Each takes one. @returns 0, or the ms to wait for one. A comment that is sent again (`seq` of its app instance) takes none. */
  comment(asker: Asker & { readonly client: string }, seq: number): number;
  hold(asker: Asker): number;
  pass(asker: Asker): number;
}

/** `[at once, per second]` */
export const RATES = {
  /** Behind one address may be a carrier's thousands: wide enough for a street, too narrow for a farm. */
  addressHold: [300, 150],
  tokenHold: [10, 5],
  viewerPass: [10, 2],
  addressPass: [300, 150],
} as const;

/** Those who spoke last: resends come within seconds. */
const MAX_PAID = 10_000;

/** @param passesPerSecond that this node gives out to everybody together */
export function createRates(nowMs: () => number, passesPerSecond: number): Rates {
  const comments = createBuckets(LIMITS.commentBurst, LIMITS.commentsPerSecond);
  const addressComments = createBuckets(
    LIMITS.addressCommentBurst,
    LIMITS.addressCommentsPerSecond,
  );
  /** Per app instance the newest comment that was within the rate: sent again, it is not a second one. */
  const paid = new Map<string, number>();
  const holds = createBuckets(LIMITS.holdBurst, LIMITS.holdsPerSecond);
  const tokenHolds = createBuckets(...RATES.tokenHold);
  const addressHolds = createBuckets(...RATES.addressHold);
  const passes = createBuckets(...RATES.viewerPass);
  const addressPasses = createBuckets(...RATES.addressPass);
  const allPasses = createBuckets(passesPerSecond, passesPerSecond);

  const byAddress = (buckets: typeof holds, { address, network }: Asker): number => {
    const limited = network ?? networkOf(address) ?? "";
    return limited === "" ? 0 : buckets.take(limited, nowMs());
  };
  const byViewer = (asker: Asker, atMs: number): number => {
    asker.viewerHolds = holds.bucketOf(asker.viewerHolds, keyOf(asker), atMs);
    return holds.takeFrom(asker.viewerHolds, atMs);
  };
  const byToken = (asker: Asker, atMs: number): number => {
    const device = asker.device ?? `${keyOf(asker)}|${asker.tokenNo}`;
    asker.tokenHolds = tokenHolds.bucketOf(asker.tokenHolds, device, atMs);
    return tokenHolds.takeFrom(asker.tokenHolds, atMs);
  };
  return {
    comment(asker, seq) {
      const instance = `${keyOf(asker)}|${asker.client}`;
      if (seq <= (paid.get(instance) ?? 0)) return 0;
      const waitMs = comments.take(keyOf(asker), nowMs()) || byAddress(addressComments, asker);
      if (waitMs > 0) return waitMs;
      paid.delete(instance);
      paid.set(instance, seq);
      const [oldest = ""] = paid.size > MAX_PAID ? paid.keys() : [];
      paid.delete(oldest);
      return 0;
    },
    hold(asker) {
      const atMs = nowMs();
      return byViewer(asker, atMs) || byToken(asker, atMs) || byAddress(addressHolds, asker);
    },
    pass: (asker) =>
      passes.take(keyOf(asker), nowMs()) ||
      byAddress(addressPasses, asker) ||
      allPasses.take("all", nowMs()),
  };
}

/** Viewer ids are names within a show. */
const keyOf = ({ show, viewerId, who }: Asker): string => who ?? `${show}|${viewerId}`;

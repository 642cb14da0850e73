/** Is this a rush? Buyers wait for a batch, or more of them came since the last look than a quiet moment brings. */
export interface Buying {
  /** Since the start. */
  readonly holdsAsked: number;
  readonly refusedHere: number;
  /** For a batch, now. */
  readonly waiting: number;
}

/** Looks are milliseconds apart while it matters: 10,000 buyers within a tenth of a second are a hundred for each of them. */
const RUSH_PER_LOOK = 16;
const LOOK_MS = 1;
/** Older looks tell nothing of now. */
const RECENT_MS = 10;
/** Those who come next may be a little late. */
const LASTS_MS = 5;

/** @param nowMs monotonic @returns is it a rush? To be asked as often as one likes */
export function createRushWatch(buying: () => Buying, nowMs: () => number): () => boolean {
  let seen = 0;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let untilMs = Number.NEGATIVE_INFINITY;
  return () => {
    const { holdsAsked, refusedHere, waiting } = buying();
    const atMs = nowMs();
    const agoMs = atMs - lookedAtMs;
    if (agoMs >= LOOK_MS) {
      const came = holdsAsked + refusedHere - seen;
      if (agoMs <= RECENT_MS && came >= RUSH_PER_LOOK) untilMs = atMs + LASTS_MS;
      seen = holdsAsked + refusedHere;
      lookedAtMs = atMs;
    }
    return waiting > 0 || atMs < untilMs;
  };
}

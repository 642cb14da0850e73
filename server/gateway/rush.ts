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
/** Older looks tell nothing of now. */
const MOMENT_MS = 10;

export function createRushWatch(buying: () => Buying, nowMs: () => number): () => boolean {
  let seen = 0;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  return () => {
    const { holdsAsked, refusedHere, waiting } = buying();
    const came = holdsAsked + refusedHere - seen;
    const isRecent = nowMs() - lookedAtMs < MOMENT_MS;
    seen = holdsAsked + refusedHere;
    lookedAtMs = nowMs();
    return waiting > 0 || (isRecent && came >= RUSH_PER_LOOK);
  };
}

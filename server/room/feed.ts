/**
 * One stream of comments on its way to its listeners: gathered until the tick, then as many as the feed's rate allows, with the
 * receipt for the rest. What a quiet quarter second did not use may be made up for in one tick.
 */
import { type Comment, LIMITS } from "#wire";
import { createSampling } from "./sampling.ts";

/** The comments of one frame, and what they account for: accepted = shown + skipped. */
export interface Portion {
  readonly accepted: number;
  readonly skipped: number;
  /** Of the skipped: shown on a richer feed. */
  readonly thinned: number;
  readonly upTo: number;
  readonly comments: readonly Comment[];
}

export interface FeedStream {
  readonly offer: (comment: Comment) => void;
  /** @returns undefined when there was nothing */
  take(nowMs: number): Portion | undefined;
}

const SAVED_UP_SECONDS = 0.25;

/** @param chance uniform in [0, 1) */
export function createFeedStream(perSecond: number, chance: () => number): FeedStream {
  const sampling = createSampling(chance);
  const places = createPlaces(perSecond);
  let upTo = 0;
  return {
    offer: sampling.offer,
    take(nowMs) {
      const accepted = sampling.standsFor;
      if (accepted === 0) return undefined;
      const comments = sampling.take(places.free(nowMs));
      places.use(comments.length);
      upTo += accepted;
      return { accepted, skipped: accepted - standFor(comments), thinned: 0, upTo, comments };
    },
  };
}

/** Thins another feed out: takes over its portions, gives one for several of them. */
export function createThinned(
  perSecond: number,
  chance: () => number,
): {
  readonly add: (portion: Portion) => void;
  take(nowMs: number): Portion | undefined;
} {
  const sampling = createSampling(chance);
  const places = createPlaces(perSecond);
  let accepted = 0;
  let skippedThere = 0;
  let upTo = 0;
  return {
    add(portion) {
      accepted += portion.accepted;
      skippedThere += portion.skipped;
      ({ upTo } = portion);
      portion.comments.forEach(sampling.offer);
    },
    take(nowMs) {
      if (accepted === 0) return undefined;
      const comments = sampling.take(places.free(nowMs));
      places.use(comments.length);
      const skipped = accepted - standFor(comments);
      const portion = { accepted, skipped, thinned: skipped - skippedThere, upTo, comments };
      accepted = skippedThere = 0;
      return portion;
    },
  };
}

const standFor = (comments: readonly Comment[]): number =>
  comments.reduce((sum, { count }) => sum + count, 0);

/** A bucket of places in frames. */
function createPlaces(perSecond: number): {
  free(nowMs: number): number;
  use(places: number): void;
} {
  const most = Math.min(LIMITS.maxCommentsPerFrame, perSecond * SAVED_UP_SECONDS);
  let saved = most;
  let savedAtMs: number | undefined;
  return {
    free(nowMs) {
      saved = Math.min(most, saved + ((nowMs - (savedAtMs ?? nowMs)) / 1000) * perSecond);
      savedAtMs = nowMs;
      return Math.floor(saved);
    },
    use(places) {
      saved -= places;
    },
  };
}

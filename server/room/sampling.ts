/**
 * Which comments of a tick are shown when there are more than places. Places go round by round over the senders: nobody gets a
 * second one while somebody else has none, so one sender cannot crowd out the others. Within a round the draw is weighted
 * (Efraimidis and Spirakis 2006: the largest u^(1/w) win): hosts and moderators weigh more, and so do comments that stand for
 * several. Cost: one random number per comment; sorting only when there are more than places.
 */
import type { Comment } from "#wire";

export interface Sampling {
  readonly offer: (comment: Comment) => void;
  /** How many comments all that were offered stand for. */
  readonly standsFor: number;
  /** Empties it. @returns at most `places` of them, by number */
  take(places: number): readonly Comment[];
}

const CREW_WEIGHT = 8;
const MAX_COUNT_WEIGHT = 8;
/** More wait for no tick: what is beyond has no chance to be among its places. */
const MAX_CANDIDATES = 4096;
const KEPT_CANDIDATES = 1024;

interface Candidate {
  readonly comment: Comment;
  readonly key: number;
}

const weightOf = ({ role, count }: Comment): number =>
  (role === "viewer" ? 1 : CREW_WEIGHT) * Math.min(MAX_COUNT_WEIGHT, count);

/** @param chance uniform in [0, 1) */
export function createSampling(chance: () => number): Sampling {
  let candidates: Candidate[] = [];
  let standsFor = 0;
  return {
    offer(comment) {
      standsFor += comment.count;
      candidates.push({ comment, key: chance() ** (1 / weightOf(comment)) });
      if (candidates.length >= MAX_CANDIDATES) candidates = chosen(candidates, KEPT_CANDIDATES);
    },
    get standsFor() {
      return standsFor;
    },
    take(places) {
      const taken = candidates.length <= places ? candidates : chosen(candidates, places);
      candidates = [];
      standsFor = 0;
      return taken.map(({ comment }) => comment).sort((a, b) => a.no - b.no);
    },
  };
}

function chosen(candidates: readonly Candidate[], places: number): Candidate[] {
  const rounds: Candidate[][] = [];
  const roundsOf = new Map<string, number>();
  for (const candidate of candidates.toSorted((a, b) => b.key - a.key)) {
    const { viewerId } = candidate.comment;
    const round = roundsOf.get(viewerId) ?? 0;
    roundsOf.set(viewerId, round + 1);
    (rounds[round] ??= []).push(candidate);
  }
  return rounds.flat().slice(0, places);
}

/**
 * Likes and shares on their way to the room's totals. Taps are gathered into one frame per half second under a sequence
 * number, kept until the server says it was applied, and sent again after a reconnect: counted once, whatever happens.
 */
import { CLIENT_LIMITS as LIMITS } from "#wire";

interface Batch {
  readonly seq: number;
  likes: number;
  shares: number;
}

export interface Reactions {
  add(likes: number, shares: number): void;
  /** Sends what was gathered, if fewer than four batches wait for their word. Called twice a second. */
  readonly flush: () => void;
  readonly applied: (seq: number) => void;
  readonly resend: () => void;
  /** Taps that are not in the room's totals yet. */
  readonly waiting: { readonly likes: number; readonly shares: number };
}

const MAX_UNCONFIRMED = 4;

export function createReactions(send: (batch: Readonly<Batch>) => void): Reactions {
  let gathered = { likes: 0, shares: 0 };
  let unconfirmed: Batch[] = [];
  let lastSeq = 0;
  return {
    add(likes, shares) {
      gathered = { likes: gathered.likes + likes, shares: gathered.shares + shares };
    },
    flush() {
      if (gathered.likes + gathered.shares === 0 || unconfirmed.length >= MAX_UNCONFIRMED) return;
      const likes = Math.min(gathered.likes, LIMITS.maxLikesPerFrame);
      const shares = Math.min(gathered.shares, LIMITS.maxLikesPerFrame);
      gathered = { likes: gathered.likes - likes, shares: gathered.shares - shares };
      const batch = { seq: ++lastSeq, likes, shares };
      unconfirmed.push(batch);
      send(batch);
    },
    applied(seq) {
      unconfirmed = unconfirmed.filter((batch) => batch.seq > seq);
    },
    resend: () => unconfirmed.forEach(send),
    get waiting() {
      return unconfirmed.reduce(
        (sum, b) => ({ likes: sum.likes + b.likes, shares: sum.shares + b.shares }),
        gathered,
      );
    },
  };
}

/**
 * Sees to it that everybody sees their own comments: those that the tick's sample left out, merged with others, or hid from the rest
 * go to their author alone, with the tick. A hidden one looks no different from one that was left out. Memory: the newest hidden
 * comments of authors who have any, for their next way in.
 */
import { type Comment, LIMITS } from "#wire";

export interface Echoes {
  readonly said: (comments: readonly Comment[]) => void;
  readonly hid: (comments: readonly Comment[]) => void;
  /** Hidden ones of the time before this room was opened here. */
  readonly keep: (comments: readonly Comment[]) => void;
  /** Sends what waits. @param shown numbers of the comments that went to all */
  readonly tick: (shown: ReadonlySet<number>) => void;
  readonly hiddenOf: (viewerId: string) => readonly Comment[];
}

export interface EchoPorts {
  /** Whether the author is on this node: nobody else's comments are kept. */
  readonly isHere: (viewerId: string) => boolean;
  readonly send: (viewerId: string, comments: readonly Comment[]) => void;
}

/** Authors whose hidden comments are kept; the one who was silent longest goes first. */
const MAX_AUTHORS = 1000;

export function createEchoes({ isHere, send }: EchoPorts): Echoes {
  const waiting = new Map<string, Comment[]>();
  const hidden = new Map<string, readonly Comment[]>();
  const said = (comments: readonly Comment[]): void => {
    for (const comment of comments) {
      if (!isHere(comment.viewerId)) continue;
      const own = waiting.get(comment.viewerId);
      if (own === undefined) waiting.set(comment.viewerId, [comment]);
      else if (own.length < LIMITS.maxRecentComments) own.push(comment);
    }
  };
  const keep = (comments: readonly Comment[]): void => {
    for (const comment of comments) {
      const { viewerId } = comment;
      const own = [...(hidden.get(viewerId) ?? []), comment].slice(-LIMITS.maxRecentComments);
      hidden.delete(viewerId);
      hidden.set(viewerId, own);
    }
    for (const viewerId of hidden.keys()) {
      if (hidden.size <= MAX_AUTHORS) break;
      hidden.delete(viewerId);
    }
  };
  return {
    said,
    keep,
    hid(comments) {
      keep(comments);
      said(comments);
    },
    tick(shown) {
      for (const [viewerId, comments] of waiting) {
        const unseen = comments.filter(({ no }) => !shown.has(no));
        if (unseen.length > 0) send(viewerId, unseen);
      }
      waiting.clear();
    },
    hiddenOf: (viewerId) => hidden.get(viewerId) ?? [],
  };
}

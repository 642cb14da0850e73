/**
 * Sees to it that everybody sees their own comments: those that the tick's sample left out, merged with others, or hid from the rest
 * go to their author alone, with the tick; to an author who hears a thinned feed, all of them. A hidden one looks no different from
 * one that was left out. Memory: the newest hidden comments of authors who have any, for their next way in.
 */
import { type Comment, LIMITS } from "#wire";
import { readComments } from "./entries.ts";
import type { Shown } from "./lanes.ts";
import type { LogEntry } from "./log.ts";
import type { Feed } from "./shards.ts";

export interface Echoes {
  readonly said: (comments: readonly Comment[]) => void;
  readonly hid: (comments: readonly Comment[]) => void;
  /** Takes over hidden ones of the time before this room was opened here. */
  readonly keep: (history: readonly LogEntry[]) => void;
  /** Sends what waits. @param shown what a feed's listeners have got with this tick */
  readonly tick: (shown: Shown) => void;
  readonly hiddenOf: (viewerId: string) => readonly Comment[];
}

/** One connection of an author. */
interface Author {
  readonly feed: Feed;
}

export interface EchoPorts<A extends Author> {
  /** The author's connections to this node; of nobody else comments are kept. */
  readonly here: (viewerId: string) => Iterable<A>;
  readonly isHere: (viewerId: string) => boolean;
  readonly send: (author: A, comments: readonly Comment[]) => void;
}

/** Authors whose hidden comments are kept; the one who was silent longest goes first. */
const MAX_AUTHORS = 1000;

export function createEchoes<A extends Author>({ here, isHere, send }: EchoPorts<A>): Echoes {
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
    keep(history) {
      for (const { fields } of history)
        for (const [field, bytes] of fields) if (field === "H") keep(readComments(bytes).comments);
    },
    hid(comments) {
      keep(comments);
      said(comments);
    },
    tick(shown) {
      for (const [viewerId, comments] of waiting)
        for (const author of here(viewerId)) {
          const unseen = comments.filter(({ no }) => !shown[author.feed].has(no));
          if (unseen.length > 0) send(author, unseen);
        }
      waiting.clear();
    },
    hiddenOf: (viewerId) => hidden.get(viewerId) ?? [],
  };
}

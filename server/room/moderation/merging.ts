/**
 * Comments that say the same become one with a count: 38 × "666" within a second is "666" at once and "666 +37" at the second's end.
 * "The same" is NFKC, lower case, without blanks and signs around it; "1.5" and "15", or 买1号 and 买l号, stay apart. Only viewers'
 * comments are merged. Every comment that comes in goes out once, inside some comment's count. Cost: one map entry per text of the
 * last second.
 */
import type { Comment } from "#wire";

export interface Merging {
  /** @returns the comment where it is the first of its kind in this second; else it is kept for `due` */
  readonly take: (comment: Comment, nowMs: number) => Comment | undefined;
  /** What was kept, where its second is over. */
  readonly due: (nowMs: number) => readonly Comment[];
}

interface Same {
  readonly untilMs: number;
  /** The oldest kept one, with the count of all. */
  kept: Comment | undefined;
}

const WINDOW_MS = 1000;
/** Beyond that, texts of this second are not merged: a room with so many different ones is sampled anyway. */
const MAX_TEXTS = 5000;

export function sameText(text: string): string {
  const folded = text.normalize("NFKC").toLowerCase().replaceAll(/\s+/g, " ");
  const bare = folded.replaceAll(/^[\s\p{P}]+|[\s\p{P}\p{Cf}]+$/gu, "");
  return bare === "" ? folded : bare;
}

export function createMerging(): Merging {
  // In order of their end, since all windows have one length.
  const texts = new Map<string, Same>();
  return {
    take(comment, nowMs) {
      if (comment.role !== "viewer") return comment;
      const key = sameText(comment.text);
      const same = texts.get(key);
      if (same === undefined || (same.untilMs <= nowMs && same.kept === undefined)) {
        texts.delete(key);
        if (texts.size < MAX_TEXTS) texts.set(key, { untilMs: nowMs + WINDOW_MS, kept: undefined });
        return comment;
      }
      same.kept = { ...(same.kept ?? comment), count: (same.kept?.count ?? 0) + comment.count };
      return undefined;
    },
    due(nowMs) {
      const due: Comment[] = [];
      for (const [key, { untilMs, kept }] of texts) {
        if (untilMs > nowMs) break;
        texts.delete(key);
        if (kept === undefined) continue;
        due.push(kept);
        // It goes on: the next ones wait for this second's end.
        texts.set(key, { untilMs: nowMs + WINDOW_MS, kept: undefined });
      }
      return due;
    },
  };
}

/**
 * Comments on their way into a room's log: judged by its rules, gathered into one append for all that come within a moment, and known
 * again when they are sent a second time, to whatever node.
 */
import { createGather } from "../gather.ts";
import type { Gate } from "./moderation/gate.ts";
import { createRepeats, type Repeats } from "./repeats.ts";
import type { NewComment, RoomWrites } from "./writes.ts";

export interface CommentAnswer {
  readonly result: "accepted" | "blocked" | "tooFast";
  /** 0: refused, or a repeat. */
  readonly commentNo: number;
  readonly retryAfterMs: number;
}

export interface Speaking extends Repeats {
  /** @param sinceMs of the author's first token for this show */
  readonly comment: (
    comment: Omit<NewComment, "isHidden">,
    sinceMs: number,
  ) => Promise<CommentAnswer>;
  /** Nothing is on its way. */
  readonly isIdle: boolean;
}

const APPEND_EVERY_MS = 20;

export function createSpeaking(show: string, gate: Gate, writes: RoomWrites): Speaking {
  const comments = createGather<NewComment, number>({
    maxBatch: 256,
    maxInFlight: 1,
    everyMs: APPEND_EVERY_MS,
    send: (batch) => writes.comment(show, batch),
  });
  return {
    ...createRepeats(),
    async comment(comment, sinceMs) {
      const ruling = gate.judge({ ...comment, sinceMs }, comment.text);
      if (ruling.result !== "accepted") return { commentNo: 0, retryAfterMs: 0, ...ruling };
      const { text, isHidden } = ruling;
      try {
        const commentNo = await comments.ask({ ...comment, text, isHidden });
        return { result: "accepted", commentNo, retryAfterMs: 0 };
      } finally {
        gate.settled();
      }
    },
    get isIdle() {
      return comments.idle;
    },
  };
}

/**
 * What one viewer of a swarm saw and did, as it knows it: the material of every check. Nothing in here comes from the server's
 * own figures, so that a server that counts wrongly is found out.
 */
import type { Body } from "#wire";

export type HoldResult = Body<"holdAnswered">["result"];
export type CommentResult = Body<"commentAnswered">["result"];

export interface HoldRecord {
  readonly dropId: string;
  readonly key: string;
  readonly quantity: number;
  /** `unanswered`: no answer yet; `failed`: refused for good by a fault. */
  result: HoldResult | "unanswered" | "failed";
  /** Repeats after a lost connection or a passing fault. */
  repeats: number;
  /** From the first send to the answer. */
  tookMs: number;
  deadlineMs: number;
}

export interface ViewerHistory {
  /** Place in the swarm. */
  readonly viewer: number;
  viewerId: string;
  /** Times it got into the room; more than one: it came back. */
  joins: number;
  /** Of those, with a snapshot in place of what was missed. */
  snapshots: number;
  /** Connections that ended, oldest first; code 1006: broken or refused, and the reason says how. */
  readonly closes: { readonly code: number; readonly reason: string }[];
  /** Newest offset of lane R, and how many events of it were seen live or by catch-up. */
  offset: number;
  events: number;
  /** Offsets that were jumped over, each asked for again; and those still missing when the catch-up was over: must be 0. [I7] */
  gaps: number;
  lost: number;
  /** Events that came again although they had been seen: a catch-up that brings too much. */
  repeats: number;
  /** Versions of lanes S and A that went backwards: must be 0. */
  backwards: number;
  /** Sum of the receipts: accepted = shown + skipped + slow; slow: not sent, or read too late to be shown. */
  readonly receipts: { accepted: number; shown: number; skipped: number; slow: number };
  readonly holds: HoldRecord[];
  /** Own comments by answer; `sent` is all of them. */
  readonly comments: {
    sent: number;
    accepted: number;
    tooFast: number;
    muted: number;
    blocked: number;
  };
  /** Own likes; `applied` were confirmed by the server. */
  readonly likes: { sent: number; applied: number };
}

export const emptyHistory = (viewer: number): ViewerHistory => ({
  viewer,
  viewerId: "",
  joins: 0,
  snapshots: 0,
  closes: [],
  offset: 0,
  events: 0,
  gaps: 0,
  lost: 0,
  repeats: 0,
  backwards: 0,
  receipts: { accepted: 0, shown: 0, skipped: 0, slow: 0 },
  holds: [],
  comments: { sent: 0, accepted: 0, tooFast: 0, muted: 0, blocked: 0 },
  likes: { sent: 0, applied: 0 },
});

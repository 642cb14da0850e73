/**
 * Who cannot keep up, judged by age: how long ago the oldest comment tick was published that the viewer has not said it saw. Bytes
 * alone would tell too late: about 4 MB of stale data sit in the kernel before the first one waits here (measured). Steps down
 * full → lite → core by topic, so frames stay shared; back up when what was sent has been seen, more slowly each time. Only who
 * shows no sign for two minutes is closed with "slow, resume". Pure: the room calls it once a second per viewer.
 */
import { LIMITS } from "#wire";
import type { Feed } from "./shards.ts";

export interface Hearing {
  readonly feed: Feed;
  readonly isCrew: boolean;
  /** Of the oldest tick sent to this viewer and not seen; 0: all was seen. */
  readonly ageMs: number;
  /** Says every few seconds what it saw; else only its beats tell. */
  readonly echoes: boolean;
  /** In this process, for this socket: the kernel takes no more. */
  readonly waitingBytes: number;
  /** In feed `core`: has seen the last tick it was sent. */
  readonly caughtUp: boolean;
  /** Since it was last put on another feed. */
  readonly sinceMs: number;
  /** How often it has been stepped down. */
  readonly downs: number;
}

/** What a healthy viewer's age may be: its echo is that rare, and the way takes time. */
const ECHO_ALLOWANCE_MS = LIMITS.seenEveryMs + 1000;
/** The same where only beats tell. */
const BEAT_ALLOWANCE_MS = 27_000;
const LITE_AFTER_MS = 1500;
const CORE_AFTER_MS = 3500;
const MAX_WAITING_BYTES = 32 * 1024;
const UP_AFTER_MS = 4000;
const MAX_DOWNS = 4;
const CLOSE_AFTER_MS = 120_000;

export function judge(hearing: Hearing): Feed | "close" {
  if (hearing.feed === "core") return fromCore(hearing);
  const { feed, ageMs, waitingBytes } = hearing;
  const lateMs = ageMs - (hearing.echoes ? ECHO_ALLOWANCE_MS : BEAT_ALLOWANCE_MS);
  if (waitingBytes > MAX_WAITING_BYTES || lateMs > CORE_AFTER_MS) return "core";
  if (feed === "full" && lateMs > LITE_AFTER_MS) return "lite";
  return feed === "lite" && lateMs <= 0 && isTimeForMore(hearing) ? "full" : feed;
}

function fromCore({ caughtUp, waitingBytes, sinceMs, isCrew }: Hearing): Feed | "close" {
  if (caughtUp && waitingBytes === 0) return isCrew ? "crew" : "lite";
  return sinceMs > CLOSE_AFTER_MS ? "close" : "core";
}

/** Twice as long after each step down. */
const isTimeForMore = ({ sinceMs, downs }: Hearing): boolean =>
  sinceMs >= UP_AFTER_MS * 2 ** Math.min(MAX_DOWNS, Math.max(0, downs - 1));

/**
 * Who cannot keep up, judged by age: how long ago the oldest comment tick was published that the viewer has not said it saw, now
 * (it may be asleep) and each time it says so (it may be slow). Bytes alone would tell too late: about 4 MB of stale data sit in the
 * kernel before the first one waits here (measured). Steps down full → lite → core by topic, so frames stay shared; back up when what
 * was sent has been seen, more slowly each time. Only who shows no sign for two minutes is closed with "slow, resume". Pure: the room
 * calls it once a second per viewer.
 */
import { LIMITS } from "#wire";
import type { Feed } from "./shards.ts";

export interface Hearing {
  readonly feed: Feed;
  readonly isCrew: boolean;
  /** Of the oldest tick sent to this viewer and not seen; 0: all was seen. */
  readonly ageMs: number;
  /** In how many of its echoes in a row it told of a tick that was old by then: it reads, but more slowly than we write. */
  readonly lateEchoes: number;
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
export const ECHO_ALLOWANCE_MS = LIMITS.seenEveryMs + 1000;
/** The same where only beats tell. */
const BEAT_ALLOWANCE_MS = 27_000;
const LITE_AFTER_MS = 1500;
const CORE_AFTER_MS = 3500;
/** One late echo may be this node's own delay: it was on its way while the loop stood still. */
const LITE_AFTER_ECHOES = 2;
const CORE_AFTER_ECHOES = 6;
/** Since the first tick that a client has not seen was published, when it says so: then it is late. */
export const LATE_ECHO_MS = 1500;
const MAX_WAITING_BYTES = 32 * 1024;
const UP_AFTER_MS = 4000;
const MAX_DOWNS = 4;
const CLOSE_AFTER_MS = 120_000;

export function judge(hearing: Hearing): Feed | "close" {
  if (hearing.feed === "core") return fromCore(hearing);
  const { feed, ageMs, lateEchoes, waitingBytes } = hearing;
  const lateMs = ageMs - (hearing.echoes ? ECHO_ALLOWANCE_MS : BEAT_ALLOWANCE_MS);
  if (waitingBytes > MAX_WAITING_BYTES) return "core";
  if (lateMs > CORE_AFTER_MS || lateEchoes >= CORE_AFTER_ECHOES) return "core";
  if (feed !== "lite") return feed === "full" && isLate(lateMs, lateEchoes) ? "lite" : feed;
  return lateMs <= 0 && lateEchoes === 0 && isTimeForMore(hearing) ? "full" : "lite";
}

const isLate = (lateMs: number, lateEchoes: number): boolean =>
  lateMs > LITE_AFTER_MS || lateEchoes >= LITE_AFTER_ECHOES;

function fromCore({ caughtUp, waitingBytes, sinceMs, isCrew }: Hearing): Feed | "close" {
  if (caughtUp && waitingBytes === 0) return isCrew ? "crew" : "lite";
  return sinceMs > CLOSE_AFTER_MS ? "close" : "core";
}

/** Twice as long after each step down. */
const isTimeForMore = ({ sinceMs, downs }: Hearing): boolean =>
  sinceMs >= UP_AFTER_MS * 2 ** Math.min(MAX_DOWNS, Math.max(0, downs - 1));

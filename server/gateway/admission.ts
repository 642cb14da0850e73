/**
 * Who may join this process now: never more viewers than it can hold (files, memory), and newcomers at a rate that leaves
 * room for those who come back. A resume goes before a newcomer: it has a bucket of its own, and the reserve above the cap.
 * Who is turned away is told when to come back, and how many do so about: that is all a waiting room needs.
 * Costs some numbers for the whole process.
 */
import type { Buckets } from "./buckets.ts";
import { createBuckets } from "./buckets.ts";
import { createWindow } from "./windows.ts";

export interface Admission {
  /** @returns 0: come in; else the ms after which to try again */
  ask(resuming: boolean, joined: number): number;
  /** About how many are waiting to come in. */
  readonly waiting: number;
  /** Turned away since the start. */
  readonly refused: { readonly newcomers: number; readonly resumes: number };
}

export interface AdmissionPorts {
  readonly maxViewers: number;
  readonly newcomersPerSecond: number;
  readonly nowMs: () => number;
  /** Uniform in [0, 1): spreads those who are turned away. */
  readonly chance: () => number;
}

/** Places that only those who come back may take: a dying node's viewers find room on a full one. */
const RESERVE = 0.1;
/** Resumes cost less than joins: no snapshot. */
const RESUME_FACTOR = 4;
const FULL_RETRY_MS = 5000;
const WINDOW_MS = 10_000;

export function createAdmission(ports: AdmissionPorts): Admission {
  const { maxViewers, newcomersPerSecond, nowMs, chance } = ports;
  const newcomers = createBuckets(newcomersPerSecond, newcomersPerSecond);
  const resumes = createBuckets(
    newcomersPerSecond * RESUME_FACTOR,
    newcomersPerSecond * RESUME_FACTOR,
  );
  const refused = { newcomers: 0, resumes: 0 };
  /** The waits that were asked for lately, added up. */
  const waits = createWindow(WINDOW_MS);
  const spread = (waitMs: number): number => Math.ceil(waitMs + chance() * Math.max(waitMs, 1000));
  const wait = (bucket: Buckets, cap: number, joined: number): number => {
    if (joined >= cap) return spread(FULL_RETRY_MS);
    const waitMs = bucket.take("all", nowMs());
    return waitMs === 0 ? 0 : spread(waitMs);
  };
  return {
    ask(resuming, joined) {
      const waitMs = resuming
        ? wait(resumes, maxViewers, joined)
        : wait(newcomers, Math.floor(maxViewers * (1 - RESERVE)), joined);
      if (waitMs > 0) {
        refused[resuming ? "resumes" : "newcomers"]++;
        waits.add("all", nowMs(), waitMs);
      }
      return waitMs;
    },
    get waiting() {
      // Little's law: how many are somewhere is how many come in a time, times how long each stays.
      return Math.max(1, Math.round(waits.count("all", nowMs()) / WINDOW_MS));
    },
    refused,
  };
}

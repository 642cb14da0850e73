/**
 * One room's outgoing lanes, as DESIGN promises them. R goes out at once. S goes out at once too, but of one key only the
 * latest, at a spacing that grows with the room (40 ms, 250 ms from 5,000 viewers on), so that a rush does not drown in its own
 * stock frames: 5,000 holds at once took 1.2 s at a fixed 40 ms, 0.3 s so (measured). V and A go out once per tick, V as a sample
 * with its receipt, the same words said by many as one comment with a count. Cost per tick: one encode and one native publish,
 * whatever the number of viewers.
 */
import { type Comment, LIMITS } from "#wire";
import { encodeDown } from "#wire/server";
import { createMerging } from "./moderation/merging.ts";

export interface LanePorts {
  /** Native publish to all of the room; the bytes are shared, so never written to again. */
  readonly publish: (bytes: Uint8Array) => void;
  /** Who hears the room on this node now. */
  readonly listeners: () => number;
  /** Uniform in [0, 1). */
  readonly chance: () => number;
  readonly nowMs: () => number;
}

export interface Lanes {
  readonly event: (bytes: Uint8Array) => void;
  readonly state: (key: string, bytes: Uint8Array) => void;
  readonly totals: (bytes: Uint8Array) => void;
  readonly comments: (comments: readonly Comment[]) => void;
  /** Publishes what waits in V and A. Called by the room's clock. @returns numbers of the comments that everybody got */
  readonly tick: () => ReadonlySet<number>;
  /** Ticks of lane V so far. */
  readonly ticks: number;
  /** The receipt so far: accepted = shown + skipped. A comment shown inside another one's count is shown. */
  readonly receipt: { readonly accepted: number; readonly shown: number; readonly skipped: number };
  stop(): void;
}

/** Between two publishes of lane S, for so many viewers: a frame costs about 5 µs each, so this is a tenth of one core. */
const stateEveryMs = (viewers: number): number => Math.min(250, Math.max(40, viewers / 20));
const NONE: ReadonlySet<number> = new Set();

export function createLanes({ publish, listeners, chance, nowMs }: LanePorts): Lanes {
  const states = new Map<string, Uint8Array>();
  let statesAtMs = Number.NEGATIVE_INFINITY;
  let statesTimer: ReturnType<typeof setTimeout> | undefined;
  let totals: Uint8Array | undefined;
  const merging = createMerging();
  let sample: Comment[] = [];
  /** What could have been in the sample, and the comments that it stands for. */
  let candidates = 0;
  let accepted = 0;
  let ticks = 0;
  const receipt = { accepted: 0, shown: 0, skipped: 0 };

  const flushStates = (): void => {
    statesTimer = undefined;
    statesAtMs = performance.now();
    for (const bytes of states.values()) publish(bytes);
    states.clear();
  };
  /** Reservoir sampling (Vitter's algorithm R): all texts of the tick have the same chance. */
  const offer = (comment: Comment): void => {
    candidates++;
    accepted += comment.count;
    if (sample.length < LIMITS.maxCommentsPerTick) sample.push(comment);
    else {
      const place = Math.floor(chance() * candidates);
      if (place < sample.length) sample[place] = comment;
    }
  };
  return {
    event: publish,
    state(key, bytes) {
      states.set(key, bytes);
      const waitMs = statesAtMs + stateEveryMs(listeners()) - performance.now();
      // Even "at once" waits for the rest of this read of the log, where a later version may be.
      statesTimer ??= setTimeout(flushStates, Math.max(0, waitMs));
    },
    totals(bytes) {
      totals = bytes;
    },
    comments(comments) {
      const atMs = nowMs();
      for (const comment of comments) {
        const first = merging.take(comment, atMs);
        if (first !== undefined) offer(first);
      }
    },
    tick() {
      if (totals !== undefined) {
        publish(totals);
        totals = undefined;
      }
      merging.due(nowMs()).forEach(offer);
      if (accepted === 0) return NONE;
      const comments = sample.sort((a, b) => a.no - b.no);
      const shown = comments.reduce((sum, { count }) => sum + count, 0);
      const skipped = accepted - shown;
      publish(
        encodeDown("comments", {
          tick: ++ticks,
          atMs: Math.floor(nowMs()),
          accepted,
          skipped,
          comments,
        }),
      );
      receipt.accepted += accepted;
      receipt.shown += shown;
      receipt.skipped += skipped;
      sample = [];
      candidates = accepted = 0;
      return new Set(comments.map(({ no }) => no));
    },
    get ticks() {
      return ticks;
    },
    receipt,
    stop: () => clearTimeout(statesTimer),
  };
}

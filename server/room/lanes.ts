/**
 * One room's outgoing lanes, as DESIGN promises them. R goes out at once. S goes out at once too, but of one key only the
 * latest and at most every 40 ms, so that a rush does not drown its own viewers. V and A go out once per tick, V as a sample
 * with its receipt. Cost per tick: one encode and one native publish, whatever the number of viewers.
 */
import { type Comment, LIMITS } from "#wire";
import { encodeDown } from "#wire/server";

export interface LanePorts {
  /** Native publish to all of the room; the bytes are shared, so never written to again. */
  readonly publish: (bytes: Uint8Array) => void;
  /** Uniform in [0, 1). */
  readonly chance: () => number;
  readonly nowMs: () => number;
}

export interface Lanes {
  readonly event: (bytes: Uint8Array) => void;
  readonly state: (key: string, bytes: Uint8Array) => void;
  readonly totals: (bytes: Uint8Array) => void;
  readonly comments: (comments: readonly Comment[]) => void;
  /** Publishes what waits in V and A. Called by the room's clock. */
  readonly tick: () => void;
  /** Ticks of lane V so far. */
  readonly ticks: number;
  /** The receipt so far: accepted = shown + skipped. */
  readonly receipt: { readonly accepted: number; readonly shown: number; readonly skipped: number };
  stop(): void;
}

const STATE_EVERY_MS = 40;

export function createLanes({ publish, chance, nowMs }: LanePorts): Lanes {
  const states = new Map<string, Uint8Array>();
  let statesAtMs = -STATE_EVERY_MS;
  let statesTimer: ReturnType<typeof setTimeout> | undefined;
  let totals: Uint8Array | undefined;
  let sample: Comment[] = [];
  let accepted = 0;
  let ticks = 0;
  const receipt = { accepted: 0, shown: 0, skipped: 0 };

  const flushStates = (): void => {
    statesTimer = undefined;
    statesAtMs = performance.now();
    for (const bytes of states.values()) publish(bytes);
    states.clear();
  };
  return {
    event: publish,
    state(key, bytes) {
      states.set(key, bytes);
      const waitMs = statesAtMs + STATE_EVERY_MS - performance.now();
      // Even "at once" waits for the rest of this read of the log, where a later version may be.
      statesTimer ??= setTimeout(flushStates, Math.max(0, waitMs));
    },
    totals(bytes) {
      totals = bytes;
    },
    comments(comments) {
      for (const comment of comments) {
        accepted++;
        // Reservoir sampling (Vitter's algorithm R): every comment of the tick has the same chance.
        if (sample.length < LIMITS.maxCommentsPerTick) sample.push(comment);
        else {
          const place = Math.floor(chance() * accepted);
          if (place < sample.length) sample[place] = comment;
        }
      }
    },
    tick() {
      if (totals !== undefined) {
        publish(totals);
        totals = undefined;
      }
      if (accepted === 0) return;
      const comments = sample.sort((a, b) => a.no - b.no);
      const skipped = accepted - comments.length;
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
      receipt.shown += comments.length;
      receipt.skipped += skipped;
      sample = [];
      accepted = 0;
    },
    get ticks() {
      return ticks;
    },
    receipt,
    stop: () => clearTimeout(statesTimer),
  };
}

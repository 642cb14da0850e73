/**
 * One room's outgoing lanes, as DESIGN promises them. R goes out at once. S goes out at once too, but of one key only the
 * latest, at a spacing that grows with the room (40 ms, 250 ms from 5,000 viewers on), so that a rush does not drown in its own
 * stock frames: 5,000 holds at once took 1.2 s at a fixed 40 ms, 0.3 s so (measured). V and A go out once per tick, V as a sample
 * with its receipt per feed, the same words said by many as one comment with a count. A tick that finds the one before still on
 * its way is left out: what it would have told goes with the next. Cost per tick and feed: one encode and one native publish
 * per shard, whatever the number of viewers.
 */
import { type Comment, LIMITS } from "#wire";
import { encodeDown } from "#wire/server";
import { createFeedStream, createThinned, type Portion } from "./feed.ts";
import { createMerging } from "./moderation/merging.ts";
import { type Feed, FEEDS, type Shards } from "./shards.ts";
import { createTickTimes, type TickTimes } from "./tick-times.ts";

export interface LanePorts {
  readonly shards: Pick<Shards, "urgent" | "later" | "isFlushing" | "isUrgentWaiting" | "size">;
  /** Uniform in [0, 1). */
  readonly chance: () => number;
  readonly nowMs: () => number;
}

/** Numbers of the comments that a feed's listeners got with a tick. */
export type Shown = Readonly<Record<Feed, ReadonlySet<number>>>;

export interface Lanes {
  /** @param isAnswer buyers wait for it */
  readonly event: (bytes: Uint8Array, isAnswer?: boolean) => void;
  readonly state: (key: string, bytes: Uint8Array) => void;
  readonly totals: (bytes: Uint8Array) => void;
  readonly comments: (comments: readonly Comment[]) => void;
  /** Publishes what waits in V and A. Called by the room's clock. @returns undefined: left out */
  readonly tick: () => Shown | undefined;
  /** Between two portions of feed `lite`: who changes to or from it now gets nothing twice. */
  readonly isBetweenLite: boolean;
  /** Ticks of lane V so far. */
  readonly ticks: number;
  readonly timesOf: (feed: Feed) => TickTimes;
  /** The receipt of feed `full` so far: accepted = shown + skipped. A comment shown inside another one's count is shown. */
  readonly receipt: { readonly accepted: number; readonly shown: number; readonly skipped: number };
  stop(): void;
}

/** Between two publishes of lane S, for so many viewers: a frame costs about 5 µs each, so this is a tenth of one core. */
const stateEveryMs = (viewers: number): number => Math.min(250, Math.max(40, viewers / 20));
/** S waits for the S before it to be out. */
const STATE_AGAIN_MS = 5;
const LITE_EVERY_TICKS = 4;
const NONE: ReadonlySet<number> = new Set();

export function createLanes({ shards, chance, nowMs }: LanePorts): Lanes {
  const states = new Map<string, Uint8Array>();
  let statesAtMs = Number.NEGATIVE_INFINITY;
  let statesTimer: ReturnType<typeof setTimeout> | undefined;
  let totals: Uint8Array | undefined;
  const merging = createMerging();
  const full = createFeedStream(LIMITS.commentsShownPerSecond, chance);
  const crew = createFeedStream(LIMITS.crewShownPerSecond, chance);
  const lite = createThinned(LIMITS.liteShownPerSecond, chance);
  const times = { crew: createTickTimes(), full: createTickTimes(), lite: createTickTimes() };
  const never = createTickTimes();
  let ticks = 0;
  let clockTicks = 0;
  const receipt = { accepted: 0, shown: 0, skipped: 0 };

  const flushStates = (): void => {
    if (shards.isUrgentWaiting) {
      statesTimer = setTimeout(flushStates, STATE_AGAIN_MS);
      return;
    }
    sendStates();
  };
  const sendStates = (): void => {
    clearTimeout(statesTimer);
    statesTimer = undefined;
    statesAtMs = performance.now();
    for (const bytes of states.values()) shards.urgent(bytes);
    states.clear();
  };
  const listeners = (): number => FEEDS.reduce((sum, feed) => sum + shards.size(feed), 0);
  const send = (feed: "crew" | "full" | "lite", portion: Portion | undefined) => {
    if (portion === undefined) return NONE;
    times[feed].record(ticks, performance.now());
    if (shards.size(feed) > 0)
      shards.later(
        feed,
        encodeDown("comments", { tick: ticks, atMs: Math.floor(nowMs()), ...portion }),
      );
    return new Set(portion.comments.map(({ no }) => no));
  };
  const tick = (): Shown => {
    const atMs = nowMs();
    if (totals !== undefined) for (const feed of FEEDS) shards.later(feed, totals);
    totals = undefined;
    merging.due(atMs).forEach(full.offer);
    const portion = full.take(atMs);
    if (portion !== undefined) {
      lite.add(portion);
      receipt.accepted += portion.accepted;
      receipt.shown += portion.accepted - portion.skipped;
      receipt.skipped += portion.skipped;
    }
    const crews = crew.take(atMs);
    const thinned = ++clockTicks % LITE_EVERY_TICKS === 0 ? lite.take(atMs) : undefined;
    if ((portion ?? crews ?? thinned) !== undefined) ticks++;
    return {
      full: send("full", portion),
      crew: send("crew", crews),
      lite: send("lite", thinned),
      core: NONE,
    };
  };
  return {
    event(bytes, isAnswer) {
      shards.urgent(bytes, isAnswer);
      // What waits in S rides on the same write: "sold out" and the last stock are one frame's work.
      if (states.size > 0) sendStates();
    },
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
      const hasCrew = shards.size("crew") > 0;
      for (const comment of comments) {
        if (hasCrew) crew.offer(comment);
        const first = merging.take(comment, atMs);
        if (first !== undefined) full.offer(first);
      }
    },
    tick: () => (shards.isFlushing ? undefined : tick()),
    get isBetweenLite() {
      return clockTicks % LITE_EVERY_TICKS === 0;
    },
    get ticks() {
      return ticks;
    },
    timesOf: (feed) => (feed === "core" ? never : times[feed]),
    receipt,
    stop: () => clearTimeout(statesTimer),
  };
}

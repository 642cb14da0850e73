/**
 * A `Live` as signals. The SDK changes `live.state` in place; each signal here is a fresh value of one part of it, read at
 * most once per drawn frame however many events came in, so a busy room costs one redraw of what changed.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type {
  Comment,
  Connection,
  Coupon,
  Drop,
  Live,
  LiveEvents,
  LiveState,
  Order,
  Product,
} from "#sdk";

export interface Room {
  readonly live: Live;
  readonly show: string;
  readonly me: string;
  readonly title: ReadonlySignal<string>;
  readonly currency: ReadonlySignal<string>;
  readonly state: ReadonlySignal<"scheduled" | "live" | "ended">;
  readonly products: ReadonlySignal<ReadonlyMap<string, Product>>;
  readonly pinned: ReadonlySignal<readonly string[]>;
  readonly drops: ReadonlySignal<ReadonlyMap<string, Drop>>;
  readonly orders: ReadonlySignal<ReadonlyMap<string, Order>>;
  readonly coupons: ReadonlySignal<ReadonlyMap<string, Coupon>>;
  /** Own claims that can be redeemed, by coupon id. */
  readonly unusedCoupons: ReadonlySignal<LiveState["unusedCoupons"]>;
  readonly comments: ReadonlySignal<readonly Comment[]>;
  readonly pinnedComment: ReadonlySignal<Comment | undefined>;
  /** Least time between two own comments; 0: no such rule. */
  readonly slowModeMs: ReadonlySignal<number>;
  readonly viewers: ReadonlySignal<number>;
  readonly likes: ReadonlySignal<number>;
  readonly shares: ReadonlySignal<number>;
  readonly connection: ReadonlySignal<Connection>;
  readonly mutedUntilMs: ReadonlySignal<number>;
  /** Server time, ten times a second: what countdowns are computed from. */
  readonly nowMs: ReadonlySignal<number>;
}

const CLOCK_STEP_MS = 100;
const HIDDEN_STEP_MS = 250;

export function createRoom(live: Live, show: string): Room {
  const state = live.state;
  const part = <T>(read: () => T, ...events: readonly (keyof LiveEvents)[]): ReadonlySignal<T> => {
    const value = signal(read());
    let waiting = false;
    const draw = (): void => {
      waiting = false;
      value.value = read();
    };
    const changed = (): void => {
      if (waiting) return;
      waiting = true;
      if (document.hidden) setTimeout(draw, HIDDEN_STEP_MS);
      else requestAnimationFrame(draw);
    };
    for (const event of [...events, "connectionChanged" as const]) live.on(event, changed);
    return value;
  };
  // `state` knows what the room has counted; the event adds own likes on their way.
  let totals = { likes: state.likes, shares: state.shares };
  live.on("liked", (now) => (totals = now));
  const nowMs = signal(live.now());
  setInterval(() => (nowMs.value = live.now()), CLOCK_STEP_MS);
  return {
    live,
    show,
    me: state.viewerId,
    title: part(() => state.title),
    currency: part(() => state.currency),
    state: part(() => state.state, "showChanged"),
    products: part(() => new Map(state.products), "productChanged"),
    pinned: part(() => [...state.pinned], "pinned"),
    drops: part(
      () => new Map(state.drops),
      "stockChanged",
      "dropAnnounced",
      "dropOpened",
      "dropSoldOut",
      "dropClosed",
      "dropVoided",
      "dropDrawn",
    ),
    orders: part(() => new Map(state.orders), "orderChanged"),
    coupons: part(() => new Map(state.coupons), "couponsChanged"),
    unusedCoupons: part(() => new Map(state.unusedCoupons), "couponsChanged"),
    comments: part(() => [...state.comments], "commented", "commentDeleted"),
    pinnedComment: part(() => state.pinnedComment, "commentPinned"),
    slowModeMs: part(() => state.slowModeMs, "slowModeChanged"),
    viewers: part(() => state.viewers, "viewersChanged"),
    likes: part(() => Math.max(totals.likes, state.likes), "liked"),
    shares: part(() => Math.max(totals.shares, state.shares), "liked"),
    connection: part(() => state.connection),
    mutedUntilMs: part(() => state.mutedUntilMs, "muted"),
    nowMs,
  };
}

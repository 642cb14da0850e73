/**
 * Room frames in, state and events out. Sees to it that lane R has no gap: what comes too early is dropped and the missing
 * part asked for, once per gap; a snapshot may stand in its place. Adds up the receipts of lane V; comments that come too late
 * to be news (a woken phone reads what was sent while it slept) are counted, not shown.
 */
import {
  type Body,
  type DownFrame,
  fold,
  fromSnapshot,
  CLIENT_LIMITS as LIMITS,
  offsetOf,
} from "#wire";
import type { LiveEvents, LiveState } from "./live.ts";

export interface InboxPorts {
  readonly state: LiveState;
  readonly emit: <E extends keyof LiveEvents>(event: E, what: LiveEvents[E]) => void;
  readonly waitingReactions: () => { readonly likes: number; readonly shares: number };
  readonly askCatchUp: (offset: number) => void;
  /** Server time, ms. */
  readonly now: () => number;
  /** What should have been whole is not: the connection has lost frames. */
  readonly broken: () => void;
  /** The next event in order: what still waits for units of the drop gets none. */
  readonly soldOut: (event: Body<"dropSoldOut">) => void;
  /** The room is whole. @param missed events of lane R that a catch-up brought */
  readonly joined: (resumed: boolean, missed: number) => void;
}

export interface Inbox {
  readonly take: (frame: DownFrame) => void;
  /** Where to resume; epoch "" before the first join. */
  readonly position: { readonly epoch: string; readonly offset: number };
  /** Newest comment tick seen. */
  readonly tick: number;
  /** Its comments came too late to be shown. */
  readonly isLate: boolean;
  totals(): LiveEvents["liked"];
}

type Handlers = {
  readonly [K in DownFrame["kind"]]?: (frame: Extract<DownFrame, { kind: K }>) => void;
};
type Comments = Extract<DownFrame, { kind: "comments" }>;
type DropEvent =
  | "dropOpened"
  | "dropSoldOut"
  | "dropClosed"
  | "dropVoided"
  | "dropDrawn"
  | "stockChanged";

const MAX_TOLD = 500;

export function createInbox({
  state,
  emit,
  waitingReactions,
  askCatchUp,
  now,
  broken,
  soldOut,
  joined,
}: InboxPorts): Inbox {
  let epoch = "";
  let tick = 0;
  let isLate = false;
  /** Comments of this connection's feed that are accounted for; -1: no receipt yet. */
  let upTo = -1;
  let joining: (Body<"welcome"> & { readonly from: number }) | undefined;
  /** All of a new beginning, until it is whole: a connection that is lost on the way leaves no part of it. */
  let beginning: DownFrame[] = [];
  let isFresh = false;
  /** Comments that the app has been told of, and those that it is not to see again: lane R goes ahead of lane V. */
  const told = new Set<number>();
  const deleted = new Set<number>();
  /** Offset that was asked for; -1: no gap. */
  let gapFrom = -1;

  const totals = (): LiveEvents["liked"] => {
    const waiting = waitingReactions();
    return { likes: state.likes + waiting.likes, shares: state.shares + waiting.shares };
  };

  const inOrder = (frame: DownFrame): boolean => {
    const offset = offsetOf(frame);
    if (offset === undefined) return true;
    if (offset === state.offset + 1) {
      gapFrom = -1;
      return true;
    }
    if (offset > state.offset && gapFrom !== state.offset) {
      gapFrom = state.offset;
      askCatchUp(state.offset);
    }
    return false;
  };

  /** Frames that are about this connection, not about the room. */
  const own: Handlers = {
    welcome(frame) {
      ({ tick } = frame);
      isLate = false;
      upTo = -1;
      state.feed = "full";
      state.viewerId = frame.viewerId;
      state.role = frame.role;
      joining = { ...frame, from: state.offset };
      beginning = [];
      isFresh = false;
      gapFrom = -1;
    },
    snapshot(frame) {
      // `joined` follows and says which offset it stands for.
      Object.assign(state, fromSnapshot(frame, joining?.offset ?? state.offset));
      isFresh = true;
      // Another history.
      if (joining !== undefined && joining.epoch !== epoch) {
        told.clear();
        deleted.clear();
        // Whatever it says of an order counts. One it does not tell of may wait for replicas, or end at its deadline.
        for (const [id, order] of state.orders) state.orders.set(id, { ...order, version: -1 });
      }
      for (const { no } of frame.comments) told.add(no);
    },
    joined({ offset }) {
      beginning.forEach(handle);
      beginning = [];
      // A slow connection may lose some of what it should have brought.
      if (!isFresh && (offset > state.offset || joining?.resumed === false)) return broken();
      const jumped = isFresh;
      isFresh = false;
      // The node we come from may have been ahead of the one we move to.
      state.offset = joining?.resumed === true ? Math.max(state.offset, offset) : offset;
      gapFrom = -1;
      if (joining === undefined) {
        const resumed = jumped ? "snapshot" : "caughtUp";
        return emit("connectionChanged", { connection: "live", resumed });
      }
      const { from } = joining;
      epoch = joining.epoch;
      joining = undefined;
      joined(!jumped, jumped ? 0 : state.offset - from);
    },
    feedChanged({ feed }) {
      state.feed = feed;
    },
    couponsKept({ couponId, unused, version }) {
      if ((state.unusedCoupons.get(couponId)?.version ?? -1) >= version) return;
      state.unusedCoupons.set(couponId, { unused, version });
      emit("couponsChanged", { couponId });
    },
    orderChanged({ kind: _kind, ...order }) {
      const known = state.orders.get(order.holdId);
      if (known !== undefined && known.version >= order.version) return;
      state.orders.set(order.holdId, order);
      emit("orderChanged", order);
    },
  };

  /** What a frame that changed the room is to the app. */
  const news: Handlers = {
    commentDeleted({ commentNo }) {
      deleted.add(commentNo);
      emit("commentDeleted", { commentNo });
    },
    totals: () => emit("liked", totals()),
    viewersChanged: ({ count }) => emit("viewersChanged", { viewers: count }),
    pinned: () => emit("pinned", { skus: state.pinned }),
    unpinned: () => emit("pinned", { skus: state.pinned }),
    slowModeChanged: ({ slowModeMs }) => emit("slowModeChanged", { slowModeMs }),
    commentPinned: emitPinnedComment,
    commentUnpinned: emitPinnedComment,
    productChanged: ({ product }) => emit("productChanged", { sku: product.sku }),
    showStarted: () => emit("showChanged", { state: "live" }),
    showEnded: () => emit("showChanged", { state: "ended" }),
    muted({ viewerId, untilMs }) {
      if (viewerId !== state.viewerId) return;
      state.mutedUntilMs = untilMs;
      emit("muted", { untilMs });
    },
    dropAnnounced: ({ drop }) => emit("dropAnnounced", drop),
    dropOpened: emitDrop,
    dropSoldOut: emitDrop,
    dropClosed: emitDrop,
    dropVoided: emitDrop,
    dropDrawn: emitDrop,
    stockChanged: emitDrop,
    couponAnnounced: ({ coupon }) => emit("couponsChanged", { couponId: coupon.couponId }),
    couponChanged: ({ couponId }) => emit("couponsChanged", { couponId }),
  };
  function emitPinnedComment(): void {
    emit("commentPinned", { comment: state.pinnedComment });
  }
  function emitDrop({ kind, dropId }: { kind: DropEvent; dropId: string }): void {
    const drop = state.drops.get(dropId);
    if (drop !== undefined) emit(kind, drop);
  }

  /** @returns whether its comments are news still */
  const account = (frame: Comments): boolean => {
    const { accepted, skipped, thinned } = frame;
    if (accepted === 0) return true;
    const { receipt } = state;
    const missed = upTo < 0 ? 0 : frame.upTo - accepted - upTo;
    isLate = now() - frame.atMs > LIMITS.maxCommentAgeMs;
    ({ upTo } = frame);
    receipt.accepted += accepted + missed;
    receipt.slow += missed + (isLate ? accepted : 0);
    if (isLate) return false;
    receipt.shown += accepted - skipped;
    receipt.sampled += skipped - thinned;
    receipt.thinned += thinned;
    return true;
  };
  const takeComments = (frame: Comments): void => {
    tick = Math.max(tick, frame.tick);
    if (!account(frame)) return;
    const comments = frame.comments.filter(({ no }) => !deleted.has(no));
    if (!fold(state, { ...frame, comments })) return;
    const fresh = comments.filter(({ no }) => !told.has(no));
    for (const { no } of fresh) told.add(no);
    for (const no of told) if (told.size > MAX_TOLD) told.delete(no);
    emit("commented", fresh);
  };

  const handle = (frame: DownFrame): void => {
    const handler = own[frame.kind];
    if (handler !== undefined) handler(frame as never);
    else if (frame.kind === "comments") takeComments(frame);
    else if (inOrder(frame)) {
      if (frame.kind === "dropSoldOut") soldOut(frame);
      if (fold(state, frame)) news[frame.kind]?.(frame as never);
    }
  };

  const take = (frame: DownFrame): void => {
    const isLater = frame.kind === "welcome" || frame.kind === "joined";
    if (joining?.resumed === false && !isLater) beginning.push(frame);
    else handle(frame);
  };

  return {
    take,
    get position() {
      return { epoch, offset: epoch === "" ? 0 : state.offset };
    },
    get tick() {
      return tick;
    },
    get isLate() {
      return isLate;
    },
    totals,
  };
}

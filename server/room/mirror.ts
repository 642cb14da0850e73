/**
 * One show as this node knows it, kept from the log alone: the room's state, the last events of lane R as bytes, and every
 * viewer's orders. A joining viewer is served from here without asking Redis, so a storm of joins costs Redis nothing.
 */
import { decodeDown, type DownFrame, fold, type Order, type RoomState, toSnapshot } from "#wire";
import { encodeDown } from "#wire/server";
import { type KeptCoupon, readComments, readKept, readOrders } from "./entries.ts";
import type { LogEntry } from "./log.ts";

/** Events of lane R kept for catch-ups; who missed more gets a snapshot. */
const MAX_KEPT_EVENTS = 2000;

/** What an entry meant, for those who hand it on. */
export interface Heard {
  /** @param isAnswer buyers wait for it */
  readonly onEvent: (bytes: Uint8Array, isAnswer: boolean) => void;
  /** @param key what the state is of; the latest per key wins */
  readonly onState: (key: string, bytes: Uint8Array) => void;
  readonly onTotals: (bytes: Uint8Array) => void;
  readonly onComments: (said: ReturnType<typeof readComments>) => void;
  /** Comments for their authors alone. */
  readonly onHidden: (said: ReturnType<typeof readComments>) => void;
  readonly onModeration: (bytes: Uint8Array) => void;
  readonly onOrder: (viewerId: string, order: Order) => void;
  readonly onKept: (viewerId: string, kept: KeptCoupon) => void;
}

export interface Mirror {
  readonly state: RoomState;
  readonly epoch: string;
  readonly take: (entries: readonly LogEntry[]) => void;
  /** The whole room as one frame, encoded once until something changes. */
  snapshot(): Uint8Array;
  /** Stock, counts, totals and the last comments: what a catch-up ends with. Encoded once until something changes. */
  standing(atMs: number): readonly Uint8Array[];
  /** Undefined: there are none. Encoded once until something changes. */
  couponList(): Uint8Array | undefined;
  /** Events after the offset, as bytes; undefined when not all of them are kept. */
  eventsAfter(offset: number): readonly Uint8Array[] | undefined;
  ordersOf(viewerId: string): Iterable<Order>;
  /** Of everybody. */
  orders(): Iterable<Owned>;
  keptBy(viewerId: string): Iterable<KeptCoupon>;
  hasOrder(viewerId: string, holdId: string): boolean;
  mutedUntilMs(viewerId: string): number;
}

export type Owned = readonly [viewerId: string, order: Order];

export interface Opened {
  readonly epoch: string;
  readonly state: RoomState;
  readonly orders: readonly Owned[];
  /** Viewers' unused coupons. */
  readonly kept: readonly (readonly [viewerId: string, kept: KeptCoupon])[];
  readonly muted: readonly (readonly [viewerId: string, untilMs: number])[];
  /** Newest entries of the log, oldest first, already in `state`. */
  readonly history: readonly LogEntry[];
}

/** Of comments that are no tick's. */
const NO_RECEIPT = { tick: 0, accepted: 0, skipped: 0, thinned: 0, upTo: 0 };

export function createMirror(
  { epoch, state, orders, kept, muted, history }: Opened,
  heard: Heard,
): Mirror {
  const events: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  const ordersByViewer = new Map<string, Map<string, Order>>();
  const couponsByViewer = new Map<string, Map<string, KeptCoupon>>();
  const mutedUntil = new Map(muted);
  let snapshot: Uint8Array | undefined;
  let standing: readonly Uint8Array[] | undefined;
  let coupons: Uint8Array | undefined;
  /** Catch-ups by the offset they begin after: in a storm of resumes nearly all ask for the same. */
  const catchUps = new Map<number, readonly Uint8Array[]>();
  const changed = (): void => {
    snapshot = standing = coupons = undefined;
    catchUps.clear();
  };

  const keepOrder = (viewerId: string, order: Order): boolean => {
    const own = ordersByViewer.get(viewerId) ?? new Map<string, Order>();
    if ((own.get(order.holdId)?.version ?? -1) >= order.version) return false;
    ordersByViewer.set(viewerId, own.set(order.holdId, order));
    return true;
  };
  const keepCoupon = (viewerId: string, coupon: KeptCoupon): boolean => {
    const own = couponsByViewer.get(viewerId) ?? new Map<string, KeptCoupon>();
    if ((own.get(coupon.couponId)?.version ?? -1) >= coupon.version) return false;
    couponsByViewer.set(viewerId, own.set(coupon.couponId, coupon));
    return true;
  };
  const keepEvent = (offset: number, bytes: Uint8Array): void => {
    // A copy, so that a small event does not pin the whole read it came with.
    events.push({ offset, bytes: new Uint8Array(bytes) });
    if (events.length > MAX_KEPT_EVENTS * 1.25) events.splice(0, events.length - MAX_KEPT_EVENTS);
  };

  const takeFrame = (bytes: Uint8Array): DownFrame => {
    const frame = decodeDown(bytes);
    if (frame.kind === "malformed")
      throw new Error(`the log holds an unlawful frame: ${frame.why}`);
    fold(state, frame);
    if (frame.kind === "muted") mutedUntil.set(frame.viewerId, frame.untilMs);
    changed();
    return frame;
  };
  const takeComments = (bytes: Uint8Array): void => {
    const said = readComments(bytes);
    const { atMs, comments } = said;
    fold(state, { kind: "comments", ...NO_RECEIPT, atMs, comments });
    changed();
    heard.onComments(said);
  };
  const takeOrders = (bytes: Uint8Array): void => {
    for (const [viewerId, order] of readOrders(bytes))
      if (keepOrder(viewerId, order)) heard.onOrder(viewerId, order);
  };

  const takeKept = (bytes: Uint8Array): void => {
    for (const [viewerId, coupon] of readKept(bytes))
      if (keepCoupon(viewerId, coupon)) heard.onKept(viewerId, coupon);
  };

  const takeEntry = ({ offset, fields }: LogEntry): void => {
    for (const [field, bytes] of fields) {
      if (field === "V") takeComments(bytes);
      else if (field === "H") heard.onHidden(readComments(bytes));
      else if (field === "M") heard.onModeration(bytes);
      else if (field === "O") takeOrders(bytes);
      else if (field === "C") takeKept(bytes);
      else {
        const frame = takeFrame(bytes);
        if (field === "R") {
          keepEvent(offset, bytes);
          heard.onEvent(bytes, frame.kind === "dropSoldOut" && frame.answersTaps);
        } else if (field === "A") heard.onTotals(bytes);
        else heard.onState(subjectOf(frame), bytes);
      }
    }
  };

  for (const [viewerId, order] of orders) keepOrder(viewerId, order);
  for (const [viewerId, coupon] of kept) keepCoupon(viewerId, coupon);
  for (const { offset, fields } of history)
    for (const [field, bytes] of fields) if (field === "R") keepEvent(offset, bytes);

  return {
    state,
    epoch,
    take: (entries) => entries.forEach(takeEntry),
    snapshot: () => (snapshot ??= encodeDown("snapshot", toSnapshot(state))),
    eventsAfter(offset) {
      if (offset > state.offset) return undefined;
      const missing = state.offset - offset;
      if (missing > events.length) return undefined;
      const known = catchUps.get(offset);
      if (known !== undefined) return known;
      const frames = events.slice(events.length - missing).map((e) => e.bytes);
      catchUps.set(offset, frames);
      return frames;
    },
    standing: (atMs) => (standing ??= framesOf(state, atMs)),
    couponList: () =>
      state.coupons.size === 0
        ? undefined
        : (coupons ??= encodeDown("couponList", { coupons: [...state.coupons.values()] })),
    ordersOf: (viewerId) => ordersByViewer.get(viewerId)?.values() ?? [],
    *orders() {
      for (const [viewerId, own] of ordersByViewer)
        for (const order of own.values()) yield [viewerId, order];
    },
    keptBy: (viewerId) => couponsByViewer.get(viewerId)?.values() ?? [],
    hasOrder: (viewerId, holdId) => ordersByViewer.get(viewerId)?.has(holdId) ?? false,
    mutedUntilMs: (viewerId) => mutedUntil.get(viewerId) ?? 0,
  };
}

const framesOf = (state: RoomState, atMs: number): readonly Uint8Array[] => [
  ...[...state.drops.values()].map((drop) => encodeDown("stockChanged", drop)),
  encodeDown("viewersChanged", { version: state.viewersVersion, count: state.viewers }),
  encodeDown("totals", {
    version: state.totalsVersion,
    likes: state.likes,
    shares: state.shares,
  }),
  encodeDown("comments", { ...NO_RECEIPT, atMs, comments: state.comments }),
];

/** What a frame of lane S is the state of. */
const subjectOf = (frame: DownFrame): string => {
  if (frame.kind === "stockChanged") return frame.dropId;
  return frame.kind === "couponChanged" ? `coupon ${frame.couponId}` : frame.kind;
};

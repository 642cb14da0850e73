/**
 * What a server frame does to a room as one side knows it: the same function in the SDK and in the gateway's mirror, so a
 * viewer's screen and the server's memory cannot drift apart. No clock, no I/O; frames of lane S and A never go backwards.
 */
import { type Body, type DownFrame, FRAMES, type FrameName } from "./frames.ts";
import { CLIENT_LIMITS as LIMITS } from "./limits.ts";
import type { Comment, Coupon, Drop, Product } from "./records.ts";

export interface RoomState {
  title: string;
  currency: string;
  state: "scheduled" | "live" | "ended";
  /** By sku, in the order the shop added them. */
  products: Map<string, Product>;
  /** Skus now showing, newest first. */
  pinned: readonly string[];
  /** By drop id. */
  drops: Map<string, Drop>;
  viewers: number;
  viewersVersion: number;
  likes: number;
  shares: number;
  totalsVersion: number;
  /** The newest ones, oldest first. */
  comments: readonly Comment[];
  /** By coupon id. */
  coupons: Map<string, Coupon>;
  /** Least time between two comments of one viewer; 0: no such rule. */
  slowModeMs: number;
  /** The comment held on top. */
  pinnedComment: Comment | undefined;
  /** Newest event of lane R that is in here. */
  offset: number;
}

export const emptyRoom = (): RoomState => ({
  title: "",
  currency: "CNY",
  state: "scheduled",
  products: new Map(),
  pinned: [],
  drops: new Map(),
  viewers: 0,
  viewersVersion: 0,
  likes: 0,
  shares: 0,
  totalsVersion: 0,
  comments: [],
  coupons: new Map(),
  slowModeMs: 0,
  pinnedComment: undefined,
  offset: 0,
});

export const fromSnapshot = (s: Body<"snapshot">, offset: number): RoomState => ({
  ...s,
  products: new Map(s.products.map((p) => [p.sku, p])),
  drops: new Map(s.drops.map((d) => [d.dropId, d])),
  coupons: new Map(),
  pinnedComment: s.pinnedComment[0],
  offset,
});

export const toSnapshot = (room: RoomState): Body<"snapshot"> => ({
  ...room,
  products: [...room.products.values()],
  drops: [...room.drops.values()],
  pinnedComment: room.pinnedComment === undefined ? [] : [room.pinnedComment],
});

type Folds = {
  readonly [K in FrameName]?: (room: RoomState, frame: Extract<DownFrame, { kind: K }>) => boolean;
};

/** One function per frame that concerns the room; each says whether it changed anything. */
const FOLDS: Folds = {
  showStarted(room) {
    room.state = "live";
    return true;
  },
  showEnded(room) {
    room.state = "ended";
    return true;
  },
  productChanged(room, { product }) {
    room.products.set(product.sku, product);
    return true;
  },
  pinned(room, { sku }) {
    room.pinned = [sku, ...room.pinned.filter((other) => other !== sku)];
    return true;
  },
  unpinned(room, { sku }) {
    room.pinned = room.pinned.filter((other) => other !== sku);
    return true;
  },
  dropAnnounced(room, { drop }) {
    room.drops.set(drop.dropId, drop);
    forgetOld(room.drops);
    return true;
  },
  dropOpened: (room, { dropId }) => changeDrop(room, dropId, { state: "open" }),
  dropSoldOut(room, { dropId, restockEpoch }) {
    const drop = room.drops.get(dropId);
    // A stock frame of a later restock may have come first.
    if (drop !== undefined && restockEpoch < drop.restockEpoch) return false;
    return changeDrop(room, dropId, { state: "soldOut", available: 0, restockEpoch });
  },
  dropClosed: (room, { dropId, atMs }) =>
    changeDrop(room, dropId, { state: "closed", endsAtMs: atMs }),
  dropVoided: (room, { dropId, atMs }) =>
    changeDrop(room, dropId, { state: "voided", available: 0, endsAtMs: atMs }),
  dropDrawn: (room, { dropId }) => room.drops.has(dropId),
  stockChanged: changeStock,
  viewersChanged(room, { version, count }) {
    if (version <= room.viewersVersion) return false;
    room.viewers = count;
    room.viewersVersion = version;
    return true;
  },
  totals(room, { version, likes, shares }) {
    if (version <= room.totalsVersion) return false;
    room.likes = likes;
    room.shares = shares;
    room.totalsVersion = version;
    return true;
  },
  comments: (room, { comments }) => addComments(room, comments),
  commentDeleted(room, { commentNo }) {
    room.comments = room.comments.filter((c) => c.no !== commentNo);
    return true;
  },
  slowModeChanged(room, { slowModeMs }) {
    room.slowModeMs = slowModeMs;
    return true;
  },
  commentPinned(room, { comment }) {
    room.pinnedComment = comment;
    return true;
  },
  commentUnpinned(room) {
    room.pinnedComment = undefined;
    return true;
  },
  couponList(room, { coupons }) {
    room.coupons = new Map(coupons.map((c) => [c.couponId, c]));
    return true;
  },
  couponAnnounced(room, { coupon }) {
    room.coupons.set(coupon.couponId, coupon);
    return true;
  },
  couponChanged(room, { couponId, version, left }) {
    const coupon = room.coupons.get(couponId);
    if (coupon === undefined || version <= coupon.version) return false;
    room.coupons.set(couponId, { ...coupon, version, left });
    return true;
  },
  muted: () => true,
};

/** Lane R: the offset of an event; undefined for every other frame. */
export const offsetOf = (frame: DownFrame): number | undefined =>
  (FRAMES[frame.kind] as { readonly lane?: string }).lane === "R" && "offset" in frame
    ? frame.offset
    : undefined;

/** Changes `room` by a frame. @returns false when the frame was old news, or is none of the room's business */
export function fold(room: RoomState, frame: DownFrame): boolean {
  const offset = offsetOf(frame);
  if (offset !== undefined) {
    if (offset <= room.offset) return false;
    room.offset = offset;
  }
  return FOLDS[frame.kind]?.(room, frame as never) ?? false;
}

const isOver = ({ state }: Drop): boolean => state === "closed" || state === "voided";

/** A show that goes on for weeks shows its newest drops: of those that are over, the oldest go first. */
export function forgetOld(drops: Map<string, Drop>): void {
  for (const [dropId, drop] of drops) {
    if (drops.size <= LIMITS.maxDropsShown) return;
    if (isOver(drop)) drops.delete(dropId);
  }
}

function changeDrop(room: RoomState, dropId: string, change: Partial<Drop>): boolean {
  const drop = room.drops.get(dropId);
  if (drop !== undefined) room.drops.set(dropId, { ...drop, ...change });
  return true;
}

function changeStock(room: RoomState, stock: Body<"stockChanged">): boolean {
  const drop = room.drops.get(stock.dropId);
  if (drop === undefined || stock.version <= drop.version) return false;
  // An older stock frame may come after "sold out"; only a later restock epoch reopens the drop.
  const restocked = drop.state === "soldOut" && stock.restockEpoch > drop.restockEpoch;
  const { version, available, held, sold, restockEpoch, waitlisted, waitServed } = stock;
  const books = { version, available, held, sold, restockEpoch, waitlisted, waitServed };
  room.drops.set(stock.dropId, { ...drop, ...books, state: restocked ? "open" : drop.state });
  return true;
}

/** @returns true if any of them was not there yet */
function addComments(room: RoomState, comments: readonly Comment[]): boolean {
  const known = new Map(room.comments.map((c) => [c.no, c.count]));
  // One's own, echoed at once, may come again as the one that stands for many.
  const fresh = comments.filter((c) => c.count > (known.get(c.no) ?? 0));
  if (fresh.length === 0) return false;
  const nos = new Set(fresh.map((c) => c.no));
  room.comments = [...room.comments.filter((c) => !nos.has(c.no)), ...fresh]
    .sort((a, b) => a.no - b.no)
    .slice(-LIMITS.maxRecentComments);
  return true;
}

/** The SDK's public surface, as types. `connect` in connect.ts makes a `Live`. */
import type { Body, Comment, Drop, FailureCode, Order, RoomState } from "#wire";

export interface ConnectOptions {
  /** `ws://host:RT_PORT`, `wss://…` behind TLS; several are tried in turn after a failure. */
  readonly url: string | readonly string[];
  /** Show id. */
  readonly show: string;
  /** From `POST /v1/shows/:show/tokens`, or a function that fetches a new one for each connection. */
  readonly token: string | (() => Promise<string>);
  /** "msgpack" (default) or "json", the same arrays as text. */
  readonly protocol?: "msgpack" | "json";
  /**
   * "auto" (default): a WebSocket, and where none opens, events and POSTs on the same port. These are JSON whatever `protocol` says.
   */
  readonly transport?: "auto" | "websocket" | "sse";
  /** Gives up on the first connection after this; later ones are retried for ever. Default 15,000. */
  readonly firstWithinMs?: number;
  /**
   * The server is full: it lets us in when there is room, and we ask again after `delayMs`; about so many others wait too. With this,
   * such a wait does not count against `firstWithinMs`.
   */
  readonly onFull?: (wait: { readonly delayMs: number; readonly waiting: number }) => void;
  /** For tests and for platforms without a global WebSocket. */
  readonly WebSocket?: typeof WebSocket;
}

export type Connection = "connecting" | "live" | "waiting" | "closed";

export type HoldAnswer =
  | {
      readonly result: "held";
      readonly holdId: string;
      readonly deadlineMs: number;
      readonly quantity: number;
    }
  | {
      readonly result:
        | "soldOut"
        | "limit"
        | "notOpen"
        | "closed"
        | "pending"
        | "coupon"
        /** This drop wants a pass, and none was to be had. */
        | "pass";
    }
  | { readonly result: "tooFast"; readonly retryAfterMs: number };

export type PrepareAnswer =
  /** `hold` or `wait` with this key is admitted. */
  | { readonly result: "ready"; readonly key: string; readonly untilMs: number }
  | { readonly result: "notNeeded" | "closed" };

export interface ClaimAnswer {
  readonly result: "granted" | "gone" | "limit" | "notOpen" | "ended";
}

export type WaitAnswer =
  | {
      readonly result: "waiting";
      readonly holdId: string;
      readonly ticket: number;
      /** How many are before this viewer; later: `ticket - drop.waitServed - 1`. */
      readonly ahead: number;
    }
  | { readonly result: "notNeeded" | "limit" | "closed" | "tooLate" | "pass" }
  | { readonly result: "tooFast"; readonly retryAfterMs: number };

export type PayAnswer =
  | { readonly result: "sold"; readonly orderId: string }
  | {
      readonly result: "declined" | "expired" | "cancelled" | "notHeld" | "paid_late" | "refunded";
    };

export interface CancelAnswer {
  readonly result: "cancelled" | "paying" | "sold" | "expired" | "notHeld";
}

export interface CommentAnswer {
  readonly result: "accepted" | "tooFast" | "muted" | "blocked";
  readonly retryAfterMs: number;
}

export interface LiveEvents {
  commented: readonly Comment[];
  commentDeleted: { readonly commentNo: number };
  /** A comment is held on top, or (undefined) none any more. */
  commentPinned: { readonly comment: Comment | undefined };
  /** Least time between two own comments; 0: no such rule. */
  slowModeChanged: { readonly slowModeMs: number };
  /** Room totals, own likes that are on their way included. */
  liked: { readonly likes: number; readonly shares: number };
  stockChanged: Drop;
  dropAnnounced: Drop;
  dropOpened: Drop;
  dropSoldOut: Drop;
  dropClosed: Drop;
  /** Annulled by the host. */
  dropVoided: Drop;
  /** The waiting line has been drawn. */
  dropDrawn: Drop;
  pinned: { readonly skus: readonly string[] };
  productChanged: { readonly sku: string };
  showChanged: { readonly state: RoomState["state"] };
  viewersChanged: { readonly viewers: number };
  /** A coupon is new, has fewer claims left, or this viewer has more or fewer unused ones. */
  couponsChanged: { readonly couponId: string };
  /** One of this viewer's own holds moved on, on whatever device. */
  orderChanged: Order;
  muted: { readonly untilMs: number };
  connectionChanged: {
    readonly connection: Connection;
    /** After a break: how the missed time was bridged. */
    readonly resumed?: "caughtUp" | "snapshot";
    /** Missed events of lane R that came with a catch-up. */
    readonly missed?: number;
    /** Why it ended for good: a close code of PROTOCOL.md. */
    readonly closeCode?: number;
  };
}

/** What became of the room's comments on their way to this viewer. */
export interface Receipt {
  accepted: number;
  shown: number;
  /** Left out by the fair sample, for everybody. */
  sampled: number;
  /** Shown to others, not on this client's thinner feed. */
  thinned: number;
  /** Not sent, or read too late, because this client could not keep up. */
  slow: number;
}

/** Everything known of the room and of oneself; the same object for the life of a `Live`. */
export interface LiveState extends RoomState {
  viewerId: string;
  role: string;
  connection: Connection;
  /** How many comments the server sends: all that are shown, a few, or none, as this client keeps up. */
  feed: Body<"feedChanged">["feed"];
  /** Of the comments accepted while connected: accepted = shown + sampled + thinned + slow. */
  receipt: Receipt;
  /** Own holds and orders by hold id. */
  orders: Map<string, Order>;
  /** Own claims that can be redeemed, by coupon id. */
  unusedCoupons: Map<string, { readonly unused: number; readonly version: number }>;
  /** Until when this viewer cannot comment (server time, ms); 0: may. */
  mutedUntilMs: number;
}

export interface Live {
  readonly state: LiveState;
  /** Server time now, ms: the clock of countdowns and deadlines. */
  readonly now: () => number;
  /** @returns a function that ends the subscription */
  readonly on: <E extends keyof LiveEvents>(
    event: E,
    fn: (what: LiveEvents[E]) => void,
  ) => () => void;
  /** @throws SdkFault when no answer came in time */
  comment(text: string): Promise<CommentAnswer>;
  /** Adds `n` (default 1) to the room's likes; coalesced, re-sent until applied, counted once. */
  like(n?: number): void;
  share(): void;
  /**
   * Gets ready for a drop whose `admission` is `token` or `proof`: best some time before its start. `hold` does it by itself
   * where it was not done, which costs time then. Works for a proof in the background.
   * @throws SdkFault `timeout` when no pass came within a minute
   */
  prepare(dropId: string, options?: { readonly key?: string }): Promise<PrepareAnswer>;
  /**
   * Reserves units. The key (made here if not given) names this attempt for ever: the same key gets the same answer, also
   * after a reload or a lost connection.
   * @throws SdkFault `timeout` when no answer came within 15 s: the hold may stand, so ask again with the same key
   */
  hold(
    dropId: string,
    options?: {
      readonly quantity?: number;
      readonly key?: string;
      /** Claimed coupons, redeemed in the same atomic step; `coupon` is the answer when one does not apply. */
      readonly coupons?: readonly string[];
    },
  ): Promise<HoldAnswer>;
  /** Takes a coupon. The key names this attempt: a repeat gets the same answer. */
  claim(couponId: string, options?: { readonly key?: string }): Promise<ClaimAnswer>;
  /**
   * Stands in line: after sold out, or before the start of a drawn drop. The turn comes as `orderChanged` with state held;
   * `cancel(holdId)` leaves the line.
   */
  wait(
    dropId: string,
    options?: { readonly quantity?: number; readonly key?: string },
  ): Promise<WaitAnswer>;
  /** Pays a hold and waits until the money has settled, or has not. */
  pay(holdId: string): Promise<PayAnswer>;
  cancel(holdId: string): Promise<CancelAnswer>;
  /** Live video; loads the media module at first use. Browsers only. */
  readonly video: LiveVideo;
  /** Ends the connection and the video; leaves no timer. */
  close(): void;
}

export type VideoState = "connecting" | "playing" | "waiting" | "failed";

export interface LiveVideo {
  /** Plays the show in the element, across host changes and reconnects. */
  attach(
    element: HTMLVideoElement,
    options?: { readonly onState?: (state: VideoState) => void },
  ): Promise<{ close(): void }>;
  /** Host only: goes on air with this camera stream. */
  publish(stream: MediaStream): Promise<{ close(): Promise<void> }>;
}

/** The world failing, never an ordinary answer. */
export class SdkFault extends Error {
  override readonly name = "SdkFault";
  readonly code: FailureCode | "closed";
  readonly retryable: boolean;
  constructor(code: FailureCode | "closed", retryable: boolean, why = "") {
    super(why === "" ? code : `${code}: ${why}`);
    this.code = code;
    this.retryable = retryable;
  }
}

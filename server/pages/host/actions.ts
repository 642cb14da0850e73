/** Everything a host does by the HTTP API, with this show's host token. Each throws ApiRefusal or ServerAway. */
import type { Drop } from "#sdk";
import { ask } from "../shared/http.ts";

export interface NewDrop {
  readonly sku: string;
  readonly priceCents: number;
  readonly allotment: number;
  readonly perBuyerLimit: number;
  readonly holdMs: number;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  /** What a buyer must show. */
  readonly admission: Drop["admission"];
}

export interface NewCoupon {
  readonly title: string;
  readonly offCents: number;
  readonly budgetCents: number;
  readonly minSpendCents: number;
  /** Empty: any product. */
  readonly sku: string;
}

/** The room's rules for comments, as the server keeps them: a PUT replaces all of them. */
export interface Rules {
  readonly slowModeMs: number;
  readonly blockedWords: readonly string[];
  readonly maskedWords: readonly string[];
  readonly links: "allow" | "hosts" | "block";
  readonly newcomerMs: number;
  readonly roomPerSecond: number;
}

export interface SoldOrder {
  readonly orderId: string;
  readonly sku: string;
  readonly atMs: number;
  /** sold, then refunding, then refunded. */
  readonly state: string;
  readonly viewerId: string;
  readonly quantity: number;
  readonly amountCents: number;
  /** What was odd about the purchase; nearly always nothing. */
  readonly flags: readonly string[];
}

export interface ShowFacts {
  readonly startedAtMs?: number;
  readonly peakViewers?: number;
}

export interface Actions {
  readonly pin: (sku: string) => Promise<unknown>;
  readonly unpin: (sku: string) => Promise<unknown>;
  readonly startDrop: (drop: NewDrop) => Promise<unknown>;
  readonly closeDrop: (dropId: string) => Promise<unknown>;
  readonly restock: (dropId: string, units: number) => Promise<unknown>;
  readonly voidDrop: (dropId: string, reason: string) => Promise<unknown>;
  readonly makeCoupon: (coupon: NewCoupon) => Promise<unknown>;
  readonly refund: (orderId: string) => Promise<unknown>;
  readonly rules: () => Promise<Rules>;
  readonly setRules: (rules: Rules) => Promise<Rules>;
  /** Whose comments only they themselves see. */
  readonly shadowBanned: () => Promise<{ readonly viewerIds: readonly string[] }>;
  readonly shadowBan: (viewerId: string) => Promise<unknown>;
  readonly shadowUnban: (viewerId: string) => Promise<unknown>;
  readonly pinComment: (no: number) => Promise<unknown>;
  readonly unpinComment: (no: number) => Promise<unknown>;
  readonly mute: (viewerId: string, forMs: number) => Promise<unknown>;
  readonly unmute: (viewerId: string) => Promise<unknown>;
  readonly deleteComment: (no: number) => Promise<unknown>;
  readonly startShow: () => Promise<unknown>;
  readonly endShow: () => Promise<unknown>;
  readonly facts: () => Promise<ShowFacts>;
  /** Orders after `cursor`, oldest first. */
  readonly orders: (cursor: number) => Promise<{ readonly orders: readonly SoldOrder[] }>;
}

export function createActions(show: string, token: string): Actions {
  const call = (
    method: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    body?: unknown,
  ): Promise<unknown> =>
    ask(`/v1/shows/${encodeURIComponent(show)}${path}`, { method, body, bearer: token });
  const id = encodeURIComponent;
  return {
    pin: (sku) => call("POST", "/pins", { sku }),
    unpin: (sku) => call("DELETE", `/pins/${id(sku)}`),
    startDrop: (drop) => call("POST", "/drops", drop),
    closeDrop: (dropId) => call("POST", `/drops/${id(dropId)}/close`),
    restock: (dropId, units) => call("POST", `/drops/${id(dropId)}/restock`, { units }),
    voidDrop: (dropId, reason) => call("POST", `/drops/${id(dropId)}/void`, { reason }),
    makeCoupon: (coupon) => call("POST", "/coupons", coupon),
    refund: (orderId) => call("POST", `/orders/${id(orderId)}/refund`, {}),
    rules: () => call("GET", "/moderation") as Promise<Rules>,
    setRules: (rules) => call("PUT", "/moderation", rules) as Promise<Rules>,
    shadowBanned: () => call("GET", "/shadow-bans") as Promise<{ viewerIds: readonly string[] }>,
    shadowBan: (viewerId) => call("POST", "/shadow-bans", { viewerId }),
    shadowUnban: (viewerId) => call("DELETE", `/shadow-bans/${id(viewerId)}`),
    pinComment: (no) => call("POST", `/comments/${no}/pin`),
    unpinComment: (no) => call("DELETE", `/comments/${no}/pin`),
    mute: (viewerId, forMs) => call("POST", "/mutes", { viewerId, forMs }),
    unmute: (viewerId) => call("DELETE", `/mutes/${id(viewerId)}`),
    deleteComment: (no) => call("DELETE", `/comments/${no}`),
    startShow: () => call("POST", "/start"),
    endShow: () => call("POST", "/end"),
    facts: () => call("GET", "") as Promise<ShowFacts>,
    orders: (cursor) =>
      call("GET", `/orders?limit=1000&cursor=${cursor}`) as Promise<{
        orders: readonly SoldOrder[];
      }>,
  };
}

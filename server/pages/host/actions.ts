/** Everything a host does by the HTTP API, with this show's host token. Each throws ApiRefusal or ServerAway. */
import { ask } from "../shared/http.ts";

export interface NewDrop {
  readonly sku: string;
  readonly priceCents: number;
  readonly allotment: number;
  readonly perBuyerLimit: number;
  readonly holdMs: number;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
}

export interface SoldOrder {
  readonly orderId: string;
  readonly viewerId: string;
  readonly quantity: number;
  readonly amountCents: number;
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
    method: "GET" | "POST" | "DELETE",
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

/** An inbox of the SDK without a connection. */
import { type DownFrame, emptyRoom } from "#wire";
import { createInbox } from "../../client-sdk/inbox.ts";
import type { LiveState } from "../../client-sdk/live.ts";

/** A client's inbox, and what it asked for. */
export function inboxOf(nowMs: () => number = () => 0): {
  take: (f: DownFrame) => void;
  state: LiveState;
  asked: number[];
  events: string[];
} {
  const asked: number[] = [];
  const events: string[] = [];
  const state: LiveState = {
    ...emptyRoom(),
    viewerId: "",
    role: "viewer",
    connection: "live",
    feed: "full",
    receipt: { accepted: 0, shown: 0, sampled: 0, thinned: 0, slow: 0 },
    orders: new Map(),
    unusedCoupons: new Map(),
    mutedUntilMs: 0,
  };
  const inbox = createInbox({
    state,
    emit: (event) => void events.push(event),
    waitingReactions: () => ({ likes: 0, shares: 0 }),
    askCatchUp: (offset) => void asked.push(offset),
    broken: () => undefined,
    soldOut: () => undefined,
    now: nowMs,
    joined: () => undefined,
  });
  return { take: inbox.take, state, asked, events };
}

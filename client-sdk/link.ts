/**
 * The connection as a pure state machine: `step(state, event)` gives the next state and the effects to run.
 * No timers, sockets or randomness in here, so every path is a table in a test. At most one delay is alive, and one socket; a second
 * one only while it moves: a node that goes away delivers until the next one has let us in (make before break).
 */
import { comebackAfter } from "#wire";

export type LinkState =
  | { readonly at: "offline" }
  | { readonly at: "waiting"; readonly attempt: number; readonly delayMs: number }
  /** The socket opens, then hello is on its way. */
  | { readonly at: "connecting"; readonly attempt: number }
  | { readonly at: "live" }
  /** Live on a node that goes away: moves after the delay. */
  | { readonly at: "leaving"; readonly attempt: number; readonly delayMs: number }
  /** The old socket delivers still, while the new one opens and says hello. */
  | { readonly at: "moving"; readonly attempt: number }
  /** For good: closed by the app, or refused with a final code. */
  | { readonly at: "ended"; readonly code: number };

export type LinkEvent =
  /** `lost`: the old socket is gone, while the new one still opens. */
  | { readonly on: "connect" | "disconnect" | "joined" | "delayOver" | "lost" }
  /** The only socket is gone, or the new one. `jitter` is uniform in [0, 1), drawn by the caller; `delayMs` as the server asked, 0: no wish. */
  | {
      readonly on: "closed";
      readonly code: number;
      readonly jitter: number;
      readonly delayMs: number;
    }
  /** The server asks to move on within `delayMs`. */
  | { readonly on: "goaway"; readonly jitter: number; readonly delayMs: number };

/** `close` closes every socket; `switch` the old one, in favour of the new. */
export type LinkEffect = "open" | "close" | "switch" | "startDelay" | "stopDelay";

export const FULL = 4100;
const BASE_MS = 300;
const CAP_MS = 20_000;

/**
 * Full jitter: uniform in [0, min(20 s, 300 ms · 2^attempt)], so that a killed node's viewers come back spread out.
 * Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (2015).
 */
export const backoffMs = (attempt: number, jitter: number): number =>
  Math.floor(jitter * Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt, 20)));

type Step = readonly [LinkState, ...LinkEffect[]];

export function step(state: LinkState, event: LinkEvent): Step {
  if (state.at === "ended") return [state];
  switch (event.on) {
    case "connect":
      return state.at === "offline" ? [{ at: "connecting", attempt: 0 }, "open"] : [state];
    case "disconnect":
      return [{ at: "ended", code: 1000 }, "close", "stopDelay"];
    case "joined":
      return joined(state);
    case "delayOver":
      return delayOver(state);
    case "lost":
      return state.at === "moving" ? [{ at: "connecting", attempt: state.attempt }] : [state];
    case "goaway":
      if (state.at !== "live") return [state];
      return [pause("leaving", 0, Math.floor(event.jitter * event.delayMs)), "startDelay"];
    case "closed":
      return closed(state, event);
  }
}

function joined(state: LinkState): Step {
  if (state.at === "moving") return [{ at: "live" }, "switch"];
  return state.at === "connecting" ? [{ at: "live" }] : [state];
}

function delayOver(state: LinkState): Step {
  if (state.at === "leaving") return [{ at: "moving", attempt: state.attempt }, "open"];
  return state.at === "waiting" ? [{ at: "connecting", attempt: state.attempt }, "open"] : [state];
}

function closed(
  state: LinkState,
  { code, jitter, delayMs: askedMs }: Extract<LinkEvent, { on: "closed" }>,
): Step {
  if (state.at === "offline" || state.at === "waiting" || state.at === "ended") return [state];
  const comeback = comebackAfter(code);
  if (comeback === "never") return [{ at: "ended", code }, "close", "stopDelay"];
  const isNew = state.at === "connecting" || state.at === "moving";
  // A full server spreads those who wait by itself, and each of them should try as often as the others.
  const isAtDoor = state.at === "connecting" && code === FULL;
  const attempt = isNew && !isAtDoor ? state.attempt + 1 : 0;
  // "Later" waits at least as long as the server asked; the jitter comes on top.
  const delayMs = (comeback === "later" ? askedMs : 0) + backoffMs(attempt, jitter);
  if (state.at === "moving") return [pause("leaving", attempt, delayMs), "startDelay"];
  const next = pause("waiting", attempt, delayMs);
  return state.at === "leaving" ? [next, "stopDelay", "startDelay"] : [next, "startDelay"];
}

const pause = (at: "waiting" | "leaving", attempt: number, delayMs: number): LinkState => ({
  at,
  attempt,
  delayMs,
});

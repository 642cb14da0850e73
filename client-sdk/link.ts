/**
 * The connection as a pure state machine: `step(state, event)` gives the next state and the effects to run.
 * No timers, sockets or randomness in here, so every path is a table in a test. At most one socket and one delay live at a time.
 */
import { comebackAfter } from "#wire";

export type LinkState =
  | { readonly at: "offline" }
  | { readonly at: "waiting"; readonly attempt: number; readonly delayMs: number }
  /** The socket opens, then hello is on its way. */
  | { readonly at: "connecting"; readonly attempt: number }
  | { readonly at: "live" }
  /** For good: closed by the app, or refused with a final code. */
  | { readonly at: "ended"; readonly code: number };

export type LinkEvent =
  | { readonly on: "connect" | "disconnect" | "joined" | "delayOver" }
  /** The socket is gone. `jitter` is uniform in [0, 1), drawn by the caller; `delayMs` as the server asked, 0: no wish. */
  | {
      readonly on: "closed";
      readonly code: number;
      readonly jitter: number;
      readonly delayMs: number;
    }
  /** The server asks to move on within `delayMs`. */
  | { readonly on: "goaway"; readonly jitter: number; readonly delayMs: number };

export type LinkEffect = "open" | "close" | "startDelay" | "stopDelay";

const BASE_MS = 300;
const CAP_MS = 20_000;

/**
 * Full jitter: uniform in [0, min(20 s, 300 ms · 2^attempt)], so that a killed node's viewers come back spread out.
 * Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (2015).
 */
export const backoffMs = (attempt: number, jitter: number): number =>
  Math.floor(jitter * Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt, 20)));

export function step(state: LinkState, event: LinkEvent): readonly [LinkState, ...LinkEffect[]] {
  if (state.at === "ended") return [state];
  switch (event.on) {
    case "connect":
      return state.at === "offline" ? [{ at: "connecting", attempt: 0 }, "open"] : [state];
    case "disconnect":
      return [{ at: "ended", code: 1000 }, "close", "stopDelay"];
    case "joined":
      return state.at === "connecting" ? [{ at: "live" }] : [state];
    case "delayOver":
      return state.at === "waiting"
        ? [{ at: "connecting", attempt: state.attempt }, "open"]
        : [state];
    case "goaway":
      if (state.at !== "live") return [state];
      return [waiting(0, Math.floor(event.jitter * event.delayMs)), "close", "startDelay"];
    case "closed":
      return closed(state, event);
  }
}

function closed(
  state: LinkState,
  { code, jitter, delayMs }: Extract<LinkEvent, { on: "closed" }>,
): readonly [LinkState, ...LinkEffect[]] {
  if (state.at !== "connecting" && state.at !== "live") return [state];
  const comeback = comebackAfter(code);
  if (comeback === "never") return [{ at: "ended", code }];
  const attempt = state.at === "connecting" ? state.attempt + 1 : 0;
  // "Later" waits at least as long as the server asked; the jitter comes on top.
  const leastMs = comeback === "later" ? delayMs : 0;
  return [waiting(attempt, leastMs + backoffMs(attempt, jitter)), "startDelay"];
}

const waiting = (attempt: number, delayMs: number): LinkState => ({
  at: "waiting",
  attempt,
  delayMs,
});

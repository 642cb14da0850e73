/**
 * Says which comment ticks this client has seen, from which the server knows who keeps up. Not at once, since all viewers get a tick at
 * the same moment, and rarely while all is well: each time costs the server more than the tick did. Soon after coming in, so that
 * it knows this client as one that says; and soon, again and again, while ticks come too late.
 */
import { CLIENT_LIMITS as LIMITS } from "#wire";

export interface SeenPorts {
  /** Monotonic, ms. */
  readonly nowMs: () => number;
  /** Uniform in [0, 1). */
  readonly chance: () => number;
  /** The newest tick seen. */
  readonly tick: () => number;
  /** It came too late to be shown. */
  readonly isLate: () => boolean;
  readonly say: (tick: number) => void;
}

export interface Seen {
  /** On another connection now, whose server knows nothing of this client yet. */
  begin(): void;
  /** To be called at least every half second: what is due is said then. */
  look(): void;
}

const SOON_MS = 500;
const SOON_SPREAD_MS = 1000;
/** With the half second in which it may go unnoticed, the longest is within `seenEveryMs`. */
const RARELY = 0.75;
const RARELY_SPREAD = 0.15;

export function createSeen({ nowMs, chance, tick, isLate, say }: SeenPorts): Seen {
  let saidTick = 0;
  let isSoon = true;
  /** Since when there is something to say. */
  let sinceMs: number | undefined;
  let patience = chance();
  return {
    begin() {
      saidTick = tick();
      isSoon = true;
      sinceMs = undefined;
    },
    look() {
      const now = tick();
      if (now === saidTick) return;
      sinceMs ??= nowMs();
      const waitMs =
        isSoon || isLate()
          ? SOON_MS + SOON_SPREAD_MS * patience
          : LIMITS.seenEveryMs * (RARELY + RARELY_SPREAD * patience);
      if (nowMs() - sinceMs < waitMs) return;
      say(now);
      saidTick = now;
      // It is soon to hear that the delay is over, too.
      isSoon = isLate();
      sinceMs = undefined;
      patience = chance();
    },
  };
}

/**
 * The server's clock as seen from here. Of the last eight probes the one with the shortest round trip counts
 * (error at most half of it), as in NTP's clock filter (RFC 5905, section 10). Runs on a monotonic local clock, so a
 * device whose wall clock jumps still counts down rightly.
 */
export interface Clock {
  /** Server time now, ms since 1970. Before the first probe: the local clock. */
  readonly now: () => number;
  /** A probe's answer, all in ms; the first two on the local monotonic clock. */
  probe(sentAtMs: number, receivedAtMs: number, serverAtMs: number): void;
}

interface Probe {
  readonly tripMs: number;
  readonly offsetMs: number;
}

/** @param localMs monotonic, ms since 1970 at its start */
export function createClock(localMs: () => number): Clock {
  let probes: readonly Probe[] = [];
  let offsetMs = 0;
  return {
    now: () => localMs() + offsetMs,
    probe(sentAtMs, receivedAtMs, serverAtMs) {
      const tripMs = receivedAtMs - sentAtMs;
      const probe = { tripMs, offsetMs: serverAtMs + tripMs / 2 - receivedAtMs };
      probes = [...probes.slice(-7), probe];
      offsetMs = probes.reduce((best, p) => (p.tripMs < best.tripMs ? p : best)).offsetMs;
    },
  };
}

/**
 * One receiver's health: how many requests may be under way, and when to ask again while it is down. Failures of three
 * different lanes without a success in between mean that the receiver is down, not that it dislikes one event; from then on one
 * request at a time tries it, at growing intervals, until one gets through. The first success after failures says that the receiver
 * is back, whether or not it was taken to be down. Pure: clock and chance are given.
 */
export interface Backoff {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** firstMs, doubled per attempt up to longestMs; shortened by up to a half, so that nothing comes in step. @param attempts from 1 */
export const backoffMs = (
  { firstMs, longestMs }: Backoff,
  attempts: number,
  chance: () => number,
): number => Math.min(longestMs, firstMs * 2 ** Math.min(attempts - 1, 30)) * (0.5 + chance() / 2);

const LANES_TO_SHUT = 3;

/** up: nothing had failed; back: something had; wasDown: and so much of it that the gate was shut. */
export type Comeback = "up" | "back" | "wasDown";

export interface Gate {
  /** May one more request start? */
  mayStart(nowMs: number): boolean;
  started(): void;
  /** @param startedAtMs what was under way when something else failed says nothing about afterwards */
  succeeded(startedAtMs: number): Comeback;
  failed(lane: string, reason: string, nowMs: number): void;
  /** Neither: the request was given up by us. */
  dropped(): void;
  readonly inFlight: number;
  readonly isShut: boolean;
  readonly lastError: string | undefined;
  readonly failingSinceMs: number | undefined;
}

/** @param wallMs for people: when the failing began */
export function createGate(
  ports: Backoff & { most: number; chance: () => number; wallMs: () => number },
): Gate {
  const failedLanes = new Set<string>();
  let inFlight = 0;
  let tries = 0;
  let opensAtMs = 0;
  let lastError: string | undefined;
  let failingSinceMs: number | undefined;
  /** Something has failed since the last comeback, then. */
  let failedAtMs: number | undefined;
  const isShut = (): boolean => failedLanes.size >= LANES_TO_SHUT;
  return {
    mayStart: (nowMs) => (isShut() ? inFlight === 0 && nowMs >= opensAtMs : inFlight < ports.most),
    started() {
      inFlight++;
    },
    succeeded(startedAtMs) {
      inFlight--;
      const wasDown = isShut();
      const isBack = failedAtMs !== undefined && startedAtMs >= failedAtMs;
      failedLanes.clear();
      tries = 0;
      failingSinceMs = undefined;
      if (wasDown || isBack) failedAtMs = undefined;
      if (wasDown) return "wasDown";
      return isBack ? "back" : "up";
    },
    failed(lane, reason, nowMs) {
      inFlight--;
      failedLanes.add(lane);
      lastError = reason;
      failedAtMs = nowMs;
      failingSinceMs ??= ports.wallMs();
      if (isShut()) opensAtMs = nowMs + backoffMs(ports, ++tries, ports.chance);
    },
    dropped() {
      inFlight--;
    },
    get inFlight() {
      return inFlight;
    },
    get isShut() {
      return isShut();
    },
    get lastError() {
      return lastError;
    },
    get failingSinceMs() {
      return failingSinceMs;
    },
  };
}

/**
 * One receiver's health: how many requests may be under way, and when to ask again while it is down. Failures of three
 * different lanes without a success in between mean that the receiver is down, not that it dislikes one event; from then on one
 * request at a time tries it, at growing intervals, until one gets through. Pure: clock and chance are given.
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

export interface Gate {
  /** May one more request start? */
  mayStart(nowMs: number): boolean;
  started(): void;
  /** @returns true when the receiver is back after it was down */
  succeeded(): boolean;
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
  const isShut = (): boolean => failedLanes.size >= LANES_TO_SHUT;
  return {
    mayStart: (nowMs) => (isShut() ? inFlight === 0 && nowMs >= opensAtMs : inFlight < ports.most),
    started() {
      inFlight++;
    },
    succeeded() {
      inFlight--;
      const isBack = isShut();
      failedLanes.clear();
      tries = 0;
      failingSinceMs = undefined;
      return isBack;
    },
    failed(lane, reason, nowMs) {
      inFlight--;
      failedLanes.add(lane);
      lastError = reason;
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

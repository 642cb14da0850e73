/** Who has not said hello yet, oldest first, with one timer for all: every connection has the same time to say it. */
export interface Greetings<T> {
  readonly expect: (who: T) => void;
  /** It said hello, or is gone. */
  readonly settle: (who: T) => void;
  stop(): void;
}

export interface GreetingPorts<T> {
  readonly withinMs: number;
  readonly late: (who: T) => void;
  readonly nowMs: () => number;
  /** Real timers, but in simulations. @returns what takes it back */
  readonly later: (fn: () => void, delayMs: number) => () => void;
}

export function createGreetings<T>({
  withinMs,
  late,
  nowMs,
  later,
}: GreetingPorts<T>): Greetings<T> {
  const waiting = new Map<T, number>();
  let stop: (() => void) | undefined;
  const look = (): void => {
    stop = undefined;
    for (const [who, dueMs] of waiting) {
      const leftMs = dueMs - nowMs();
      if (leftMs > 0) {
        stop = later(look, leftMs);
        return;
      }
      waiting.delete(who);
      late(who);
    }
  };
  return {
    expect(who) {
      waiting.set(who, nowMs() + withinMs);
      stop ??= later(look, withinMs);
    },
    settle: (who) => void waiting.delete(who),
    stop: () => stop?.(),
  };
}

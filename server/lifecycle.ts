/**
 * Start in order, stop in reverse, once. `stop` may be called from a signal, a test and a failed start at
 * the same time: every caller waits for the same shutdown.
 */
export interface Part {
  readonly name: string;
  /** Resolves when nothing of this part is running: no timers, sockets or children. */
  readonly stop: () => Promise<void>;
  /** When this part may take longer than the others, e.g. to drain. */
  readonly maxStopMs?: number;
}

export interface Running {
  /** A part added while everything stops (a start overtaken by a signal) is stopped at once. */
  add(part: Part): void;
  readonly stopping: boolean;
  stop(): Promise<void>;
}

/** @param maxStopMs a part that takes longer is reported and left behind */
export function createRunning(
  maxStopMs: number,
  report: (name: string, error: unknown) => void,
): Running {
  const parts: Part[] = [];
  let stopping: Promise<void> | undefined;
  const stopPart = async (part: Part): Promise<void> => {
    try {
      await within(part.maxStopMs ?? maxStopMs, part.stop());
    } catch (error) {
      report(part.name, error);
    }
  };
  const stopAll = async (): Promise<void> => {
    // Parts depend on the ones before them, so they stop one at a time.
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) await stopPart(part);
  };
  return {
    add(part) {
      parts.push(part);
      if (stopping !== undefined) stopping = stopping.then(stopAll);
    },
    get stopping() {
      return stopping !== undefined;
    },
    stop: () => (stopping ??= stopAll()),
  };
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`took more than ${ms} ms`)), ms);
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

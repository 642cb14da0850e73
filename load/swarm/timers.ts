/** Repeated steps of a crowd, told how much time has really passed since the last one; all ended at once. */
export interface Timers {
  /** Calls `step` about every `everyMs`. @returns ends it */
  every(everyMs: number, step: (passedMs: number) => void): () => void;
  endAll(): void;
}

export function createTimers(nowMs: () => number): Timers {
  const running = new Set<NodeJS.Timeout>();
  return {
    every(everyMs, step) {
      let lastMs = nowMs();
      const timer = setInterval(() => {
        const atMs = nowMs();
        const passedMs = atMs - lastMs;
        lastMs = atMs;
        step(passedMs);
      }, everyMs);
      running.add(timer);
      return () => {
        clearInterval(timer);
        running.delete(timer);
      };
    },
    endAll() {
      for (const timer of running) clearInterval(timer);
      running.clear();
    },
  };
}

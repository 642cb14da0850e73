/** The clock of a room's ticks: each is as long as the pace says when the one before is over. */
import type { Pace } from "./pace.ts";

export interface Ticking {
  /** How late the last tick was: what else the loop was busy with. */
  readonly lateMs: number;
  stop(): void;
}

export function startTicking(
  pace: Pick<Pace, "tickMs">,
  nowMs: () => number,
  tick: () => void,
): Ticking {
  let lateMs = 0;
  let dueMs = 0;
  let timer: ReturnType<typeof setTimeout>;
  const next = (): void => {
    dueMs = nowMs() + pace.tickMs;
    timer = setTimeout(run, pace.tickMs);
  };
  const run = (): void => {
    lateMs = nowMs() - dueMs;
    tick();
    next();
  };
  next();
  return {
    get lateMs() {
      return lateMs;
    },
    stop: () => clearTimeout(timer),
  };
}

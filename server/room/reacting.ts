/**
 * One room's likes and shares on their way to its totals, gathered into one call. What Redis could not take is sent again before
 * anything later: a client's numbers rise, and one that came after a later one would count as known, and be lost.
 */
import { createGather } from "../gather.ts";
import { isOutage } from "../redis/outage.ts";
import type { NewReaction, RoomWrites } from "./writes.ts";

export interface Reacting {
  /** Rejects when the room ends first, or by a bug: then nobody knows, and it may be sent again. */
  readonly react: (reaction: NewReaction) => Promise<void>;
  readonly isIdle: boolean;
  /** What waits is tried once more, and given up from the first that fails on. */
  stop(): void;
}

const REACT_EVERY_MS = 100;
const AGAIN_MS = 200;

export function createReacting(show: string, writes: Pick<RoomWrites, "react">): Reacting {
  let isStopping = false;
  let givenUp: Error | undefined;
  const write = async (batch: readonly NewReaction[]): Promise<void> => {
    for (;;) {
      if (givenUp !== undefined) throw givenUp;
      try {
        await writes.react(show, batch);
        return;
      } catch (fault) {
        if (!isOutage(fault)) throw fault;
        if (isStopping) givenUp = fault as Error;
        else await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  };
  const gather = createGather<NewReaction, undefined>({
    maxBatch: 2000,
    maxInFlight: 1,
    everyMs: REACT_EVERY_MS,
    send: (batch) => write(batch).then(() => Array.from<undefined>({ length: batch.length })),
  });
  return {
    react: gather.ask,
    get isIdle() {
      return gather.idle;
    },
    stop() {
      isStopping = true;
    },
  };
}

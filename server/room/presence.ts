/**
 * Who is here, told to Redis as changes: one call per room and node and second, whatever the number of viewers. The count that
 * everybody sees is of different viewers over all living nodes, exact. After an answer that was lost, or a lease that ended while this
 * node stood still, the whole is told again. Memory: the ids that came or left within the last second.
 */
import type { PresenceTold, RoomWrites } from "./writes.ts";

export interface Presence {
  came(viewerId: string): void;
  left(viewerId: string): void;
  /** Renews the lease. @returns undefined while the last call is still out @throws when Redis did not answer */
  report(): Promise<PresenceTold | undefined>;
  /** Gives the lease up. */
  end(): Promise<void>;
}

export interface PresencePorts {
  readonly show: string;
  readonly node: string;
  readonly tell: RoomWrites["presence"];
  /** Everybody who is here now. */
  readonly here: () => readonly string[];
}

export function createPresence({ show, node, tell, here }: PresencePorts): Presence {
  let came = new Set<string>();
  let left = new Set<string>();
  let known = 0;
  let isWhole = true;
  let isAsking = false;

  const ask = async (): Promise<PresenceTold> => {
    const whole = isWhole;
    const change = { came: whole ? here() : [...came], left: whole ? [] : [...left] };
    known = whole ? change.came.length : known + came.size - left.size;
    [came, left] = [new Set(), new Set()];
    const expected = known;
    // Until the answer says otherwise: a call that fails may have been carried out or not.
    isWhole = true;
    const told = await tell(show, node, { mode: whole ? "whole" : "changes", ...change });
    isWhole = told.known !== expected;
    return told;
  };
  return {
    came(viewerId) {
      if (!left.delete(viewerId)) came.add(viewerId);
    },
    left(viewerId) {
      if (!came.delete(viewerId)) left.add(viewerId);
    },
    async report() {
      if (isAsking) return undefined;
      isAsking = true;
      try {
        return await ask();
      } finally {
        isAsking = false;
      }
    },
    async end() {
      await tell(show, node, { mode: "end", came: [], left: [] });
    },
  };
}

/**
 * Which comments the log has brought lately, by app instance: one that is sent again, to whatever node, is answered as it was the first
 * time, whatever rates and rules say by now. Memory: the instances that spoke last.
 */
import { readComments } from "./entries.ts";
import type { LogEntry } from "./log.ts";

type Spoken = ReturnType<typeof readComments>["spoken"];

export interface Repeats {
  readonly said: (spoken: Spoken) => void;
  /** Takes over what was said before this room was opened here. */
  readonly keep: (history: readonly LogEntry[]) => void;
  readonly has: (viewerId: string, client: string, seq: number) => boolean;
}

/** Resends come within seconds: of a room that takes 400 comments a second, these are the last ten. */
const MAX_KEPT = 4000;

export function createRepeats(): Repeats {
  const seqs = new Map<string, number>();
  const said = (spoken: Spoken): void => {
    for (const { viewerId, client, seq } of spoken) {
      const instance = `${viewerId}|${client}`;
      const before = seqs.get(instance) ?? 0;
      seqs.delete(instance);
      seqs.set(instance, Math.max(before, seq));
    }
    for (const instance of seqs.keys()) {
      if (seqs.size <= MAX_KEPT) break;
      seqs.delete(instance);
    }
  };
  return {
    said,
    keep(history) {
      for (const { fields } of history)
        for (const [field, bytes] of fields)
          if (field === "V" || field === "H") said(readComments(bytes).spoken);
    },
    has: (viewerId, client, seq) => seq <= (seqs.get(`${viewerId}|${client}`) ?? 0),
  };
}

/**
 * Which history of a show Redis tells. After a failover that is another one, and whoever looks first says so (recover.lua): rooms
 * start over from a snapshot, ledger files go on in a new stretch, the shop's back end is told everything anew. Cost: one call of
 * three reads.
 */
import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { showKeys } from "../redis/keys.ts";
import { loadScript } from "../redis/lua.ts";
import { KEEP_MS } from "./journal.ts";

export interface Look {
  /** recovering: drops of class replica stand still; resumed: by this call; gone: there is no such show. */
  readonly word: "settled" | "recovering" | "resumed" | "gone";
  readonly epoch: string;
  /** Journals that did not come in time, at `resumed`. */
  readonly missing: number;
  /** The show has or had drops of class replica. */
  readonly isGuarded: boolean;
}

/** @param hasReported 1: all that the journal of this node knows is in Redis */
export type LookAt = (show: string, hasReported?: 0 | 1) => Promise<Look>;

/** Every living node looks within this. */
const LEAST_MS = 1000;
const MOST_MS = 4000;

export function createLook(redis: Redis, node: string): LookAt {
  const recover = loadScript(redis, {
    file: new URL("recover.lua", import.meta.url),
    keys: ["meta", "drops", "due", "journals", "reported"],
    args: ["node", "hasReported", "epoch", "minMs", "maxMs", "keepMs"],
    read: (reply): Look => {
      const [word, epoch, missing, guarded] = reply as [Buffer, Buffer, number, number];
      return {
        word: String(word) as Look["word"],
        epoch: String(epoch),
        missing,
        isGuarded: guarded === 1,
      };
    },
  });
  return (show, hasReported = 0) =>
    recover(showKeys(show), {
      node,
      hasReported,
      epoch: randomBytes(9).toString("base64url"),
      minMs: LEAST_MS,
      maxMs: MOST_MS,
      keepMs: KEEP_MS,
    });
}

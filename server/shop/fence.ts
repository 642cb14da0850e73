/**
 * Are the decisions made so far on the replicas? A fence is a small write behind them and a WAIT for it. It has a connection of its
 * own, so that a replica that is away never holds up a batch, and all who ask while one is under way share the next: one WAIT per
 * round trip at most, however many buyers. False, never true, when in doubt: the WAIT came too short, the connection was lost between
 * write and WAIT (ioredis would send the WAIT again, with nothing before it to wait for), or this is another history than the asker
 * has seen: another epoch, or a primary that the show has not been recovered on. Cost: five small commands per fence.
 */
import type { Redis } from "ioredis";
import { createGather, type Gather } from "../gather.ts";
import { showKeys } from "../redis/keys.ts";
import { isOutage } from "../redis/outage.ts";
import { connectionFor } from "../redis/place.ts";

export interface Fences {
  /** Whether all that Redis had decided about the show before this call, in this epoch, is on the replicas. */
  readonly reach: (show: string, epoch: string) => Promise<boolean>;
}

export interface FencePorts {
  /** A connection of its own. */
  readonly redis: Redis;
  /** Named by the write as one that keeps a journal; undefined: keeps none. */
  readonly node: string | undefined;
  readonly replicas: number;
  readonly waitMs: number;
  /** Redis TIME. */
  readonly nowMs: () => number;
}

/** Between two fences of a show: at most this is added to an answer, and a thousand per second is what Redis sees. */
const EVERY_MS = 1;

export function createFences({ redis, node, replicas, waitMs, nowMs }: FencePorts): Fences {
  const lanes = new Map<string, Gather<undefined, boolean>>();
  let made = 0;

  const fence = async (show: string, epoch: string): Promise<boolean> => {
    const { meta, journals } = showKeys(show);
    const server = connectionFor(redis, meta);
    if (server === undefined) return false;
    // The name belongs to the connection: if it is still there behind the WAIT, all of this went over one.
    const name = `fence-${++made}`;
    const [, , [epochThere, primary], facts, reached, nameThere] = await Promise.all([
      server.client("SETNAME", name),
      node === undefined
        ? server.hset(meta, "fencedAtMs", Math.floor(nowMs()))
        : server.hset(journals, node, Math.floor(nowMs())),
      server.hmget(meta, "epoch", "primary"),
      server.info("server"),
      server.wait(replicas, waitMs),
      server.client("GETNAME"),
    ]);
    return (
      nameThere === name &&
      epochThere === epoch &&
      facts.includes(`run_id:${primary}`) &&
      reached >= replicas
    );
  };
  const tried = async (show: string, epoch: string): Promise<boolean> => {
    try {
      return await fence(show, epoch);
    } catch (fault) {
      if (!isOutage(fault)) throw fault;
      return false;
    }
  };
  return {
    reach(show, epoch) {
      const name = `${show} ${epoch}`;
      let lane = lanes.get(name);
      if (lane === undefined) {
        lane = createGather<undefined, boolean>({
          maxBatch: Number.MAX_SAFE_INTEGER,
          maxInFlight: 1,
          everyMs: EVERY_MS,
          send: async (asked) => {
            const reached = await tried(show, epoch);
            return asked.map(() => reached);
          },
        });
        lanes.set(name, lane);
      }
      return lane.ask(undefined);
    },
  };
}

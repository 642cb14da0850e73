/**
 * Reads the show logs for one node: one blocking connection for all its rooms, one read for all that is new.
 * Entry ids are `offset-n`: n is 0 for an event of lane R, which has that offset, and counts what follows it. Fields are
 * R, S, A (a frame's bytes, ready to publish), V (comments), H (comments hidden from all but their author), O (orders of single
 * viewers), C (their coupons), W (drops whose orders in this entry wait for replicas, see guard.ts) and M (news of moderation for nodes only).
 * Survives outages: it goes on after the last entry it saw, so nothing is skipped and nothing comes twice.
 */
import type { Redis } from "ioredis";
import { pause } from "../loop.ts";
import { showKeys } from "../redis/keys.ts";
import { isOutage } from "../redis/outage.ts";

export type LogField = "R" | "S" | "A" | "V" | "H" | "O" | "W" | "C" | "M";

export interface LogEntry {
  readonly id: string;
  readonly offset: number;
  readonly fields: readonly (readonly [field: LogField, bytes: Buffer])[];
}

export interface LogReader {
  /** Hands over what comes after `afterId`, several entries at a time. @returns a function that ends it */
  follow(
    show: string,
    afterId: string,
    onEntries: (entries: readonly LogEntry[]) => void,
  ): () => void;
  stop(): Promise<void>;
}

type RawEntry = readonly [id: Buffer, fields: readonly Buffer[]];

export function readEntry([rawId, raw]: RawEntry): LogEntry {
  const id = rawId.toString();
  const fields: (readonly [LogField, Buffer])[] = [];
  for (let i = 0; i < raw.length; i += 2)
    fields.push([String(raw[i]) as LogField, raw[i + 1] as Buffer]);
  return { id, offset: Number(id.slice(0, id.indexOf("-"))), fields };
}

const BLOCK_MS = 2000;
const MAX_ENTRIES = 500;
const RETRY_MS = 100;
const STOP_WAIT_MS = 300;

/**
 * @param blocking a connection of its own
 * @param command used to wake the other one up when a room is added
 */
export function createLogReader(blocking: Redis, command: Redis): LogReader {
  interface Following {
    lastId: string;
    readonly onEntries: (entries: readonly LogEntry[]) => void;
  }
  const rooms = new Map<string, Following>();
  let wake = Promise.withResolvers<void>();
  const stop = new AbortController();
  let blockingId: number | undefined;

  const read = async (): Promise<void> => {
    const asked = new Map(rooms);
    const keys = [...asked.keys()];
    const ids = [...asked.values()].map(({ lastId }) => lastId);
    const reply = (await blocking.xreadBuffer(
      "COUNT",
      MAX_ENTRIES,
      "BLOCK",
      BLOCK_MS,
      "STREAMS",
      ...keys,
      ...ids,
    )) as readonly (readonly [key: Buffer, entries: readonly RawEntry[]])[] | null;
    for (const [key, raw] of reply ?? []) {
      const room = rooms.get(key.toString());
      // Opened anew meanwhile, after a failover with another history: what was asked for the one before would leave a gap in this one.
      if (room === undefined || room !== asked.get(key.toString())) continue;
      const entries = raw.map(readEntry);
      room.lastId = entries.at(-1)?.id ?? room.lastId;
      room.onEntries(entries);
    }
  };

  const run = async (): Promise<void> => {
    blocking.on("ready", () => (blockingId = undefined));
    while (!stop.signal.aborted) {
      if (rooms.size === 0) await wake.promise;
      wake = Promise.withResolvers();
      if (stop.signal.aborted) return;
      try {
        blockingId ??= await blocking.client("ID");
        await read();
      } catch (fault) {
        if (!isOutage(fault)) throw fault;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  };
  const running = run();

  const interrupt = (): void => {
    wake.resolve();
    if (blockingId === undefined) return;
    // If this fails the read ends by itself after BLOCK_MS.
    command.client("UNBLOCK", blockingId).catch(() => undefined);
  };
  return {
    follow(show, afterId, onEntries) {
      const key = showKeys(show).log;
      const following = { lastId: afterId, onEntries };
      rooms.set(key, following);
      interrupt();
      return () => {
        if (rooms.get(key) === following) rooms.delete(key);
      };
    },
    async stop() {
      stop.abort();
      rooms.clear();
      interrupt();
      blocking.disconnect();
      // ioredis never settles a command that it meant to send again when it is told to disconnect: do not wait for ever.
      const enough = new AbortController();
      await Promise.race([running, pause(STOP_WAIT_MS, enough.signal)]);
      enough.abort();
    },
  };
}

/**
 * The durable record of comments. The script that accepts a comment writes it into a stream of its own as well, beside the show log
 * (which keeps only the newest entries); from there it goes into files, and leaves Redis only when it is on disk. So no comment that
 * was accepted is lost while nobody reads, at the price of Redis memory: about 100 bytes each. One process per folder; another one
 * waits. After a failover what was under way may be recorded twice.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Part } from "../lifecycle.ts";
import { startLoop } from "../loop.ts";
import { showKeys, SHOWS_KEY } from "../redis/keys.ts";
import { Refusal } from "../refusal.ts";
import { readComments } from "../room/entries.ts";
import { lockFolder } from "../supervisor/folder-lock.ts";
import { commentsFolder, openRecord, type Recorded, type RecordFile } from "./files.ts";

export interface RecorderPorts {
  readonly redis: Redis;
  readonly dataDir: string;
  /** Shows to follow closely; all others are looked at now and then. */
  readonly shows: () => Iterable<string>;
  readonly log: Logger;
}

const EVERY_MS = 500;
const LOOK_AT_ALL_MS = 30_000;
const PAGE_ENTRIES = 256;

type Entry = readonly [id: Buffer, fields: readonly Buffer[]];

export function startRecorder({ redis, dataDir, shows, log }: RecorderPorts): Part {
  const files = new Map<string, RecordFile & { readonly epoch: string }>();
  let unlock: (() => void) | undefined;
  let lookAtAllMs = 0;

  const fileOf = async (show: string): Promise<RecordFile> => {
    const epoch = (await redis.hget(showKeys(show).meta, "epoch")) ?? "";
    const known = files.get(show);
    if (known?.epoch === epoch) return known;
    await known?.close();
    const file = Object.assign(await openRecord(commentsFolder(dataDir, show), epoch), { epoch });
    files.set(show, file);
    return file;
  };
  const recordShow = async (show: string, stopping: AbortSignal): Promise<void> => {
    const key = showKeys(show).comments;
    while (!stopping.aborted) {
      const entries = await redis.xrangeBuffer(key, "-", "+", "COUNT", PAGE_ENTRIES);
      const newest = entries.at(-1);
      if (newest === undefined) return;
      const file = await fileOf(show);
      await file.append(entries.flatMap(commentsOf));
      await redis.xtrim(key, "MINID", `${numberOf(newest) + 1}-0`);
    }
  };
  const round = async (stopping: AbortSignal): Promise<void> => {
    unlock ??= await lockedOrNot(join(dataDir, "comments"), log);
    if (unlock === undefined) return;
    const due = new Set(shows());
    if (performance.now() >= lookAtAllMs) {
      lookAtAllMs = performance.now() + LOOK_AT_ALL_MS;
      for (const show of await redis.smembers(SHOWS_KEY)) due.add(show);
    }
    for (const show of due) await recordShow(show, stopping);
    for (const [show, file] of files)
      if (!due.has(show)) {
        files.delete(show);
        await file.close();
      }
  };
  const loop = startLoop({ name: "comment record", everyMs: EVERY_MS, log, step: round });
  return {
    name: "comment record",
    async stop() {
      await loop.stop();
      for (const file of files.values()) await file.close();
      unlock?.();
    },
  };
}

/** Accepted comments that are not in the files yet, as far as anybody knows now. */
export async function unrecorded(redis: Redis, show: string): Promise<readonly Recorded[]> {
  return (await redis.xrangeBuffer(showKeys(show).comments, "-", "+")).flatMap(commentsOf);
}

const numberOf = ([id]: Entry): number => Number.parseInt(id.toString(), 10);

function commentsOf([, fields]: Entry): readonly Recorded[] {
  const recorded: Recorded[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const { atMs, comments } = readComments(fields[i + 1] as Buffer);
    const isHidden = String(fields[i]) === "H";
    for (const { count: _count, ...comment } of comments)
      recorded.push({ ...comment, atMs, isHidden });
  }
  return recorded.sort((a, b) => a.no - b.no);
}

async function lockedOrNot(folder: string, log: Logger): Promise<(() => void) | undefined> {
  const own = join(folder, ".recorder");
  mkdirSync(own, { recursive: true, mode: 0o700 });
  try {
    return await lockFolder(own);
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    log.debug({ reason: refusal.message }, "comment record: waits for its folder");
    return undefined;
  }
}

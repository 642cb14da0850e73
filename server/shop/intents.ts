/**
 * The intake of a cashier: which charges and refunds it must carry out next. Redis delivers each to one cashier (consumer
 * group) and keeps it until its outcome is told. Comes first, in this order: what this cashier was given before and may not
 * have finished (after a start or a lost connection), then what other cashiers left lying, then what is new.
 * May hand out the same intent twice: the caller drops those it has under way.
 */
import type { Redis } from "ioredis";
import { showKeys } from "../redis/keys.ts";
import { loadScript } from "../redis/lua.ts";
import { isCluster } from "../redis/place.ts";

export interface Intent {
  readonly show: string;
  /** Id in the payments stream. */
  readonly id: string;
  readonly what: "charge" | "refund";
  readonly viewerId: string;
  /** The hold's id. */
  readonly key: string;
  readonly cents: number;
  /** charge: the end of its hold, by Redis TIME. */
  readonly deadlineMs: number;
  /** refund: the charge that goes back. */
  readonly of: string;
}

export interface Intents {
  /** Waits up to 250 ms for something to do. @param most intents of one show handed out at a time */
  next(shows: readonly string[], most: number): Promise<readonly Intent[]>;
}

const GROUP = "cashier";
/** A new show's payments are seen after at most this long. */
const BLOCK_MS = 250;
/** How long a charge may wait to be seen in a Cluster. */
const LOOK_MS = 100;
/** Left lying by a cashier for this long: somebody else takes it over. */
const ABANDONED_MS = 30_000;
const CLAIM_EVERY_MS = 10_000;
/** Settled payments are kept for as long as a provider may still send events about them. */
const KEEP_MS = 7 * 24 * 3_600_000;

type RawEntry = readonly [id: string, fields: readonly string[] | null];

export function createIntents(ports: { blocking: Redis; redis: Redis; consumer: string }): Intents {
  const { blocking, redis, consumer } = ports;
  /** Where the reading of entries given to us before stands, per show; "": through. */
  const resumeAfter = new Map<string, string>();
  let claimAtMs = performance.now();
  // Entries whose delivery was lost with the connection are ours already: read them again.
  blocking.on("ready", () => resumeAfter.clear());

  /** Entries given to us earlier, a page per call. */
  const readOwn = async (show: string, most: number): Promise<Intent[]> => {
    const after = resumeAfter.get(show) ?? "0";
    if (after === "") return [];
    const reply = await redis.xreadgroup(
      "GROUP",
      GROUP,
      consumer,
      "COUNT",
      most,
      "STREAMS",
      showKeys(show).payments,
      after,
    );
    const [[, entries] = ["", []]] = (reply ?? []) as [string, RawEntry[]][];
    resumeAfter.set(show, entries.at(-1)?.[0] ?? "");
    return read(show, entries);
  };
  const claim = async (show: string, most: number): Promise<Intent[]> => {
    const reply = await redis.xautoclaim(
      showKeys(show).payments,
      GROUP,
      consumer,
      ABANDONED_MS,
      "0",
      "COUNT",
      most,
    );
    return read(show, reply[1] as RawEntry[]);
  };
  const trim = loadScript(redis, {
    file: new URL("../payments/trim.lua", import.meta.url),
    keys: ["payments"],
    args: ["keepMs"],
    read: Number,
  });
  const readNew = async (shows: readonly string[], most: number): Promise<Intent[]> => {
    const keys = shows.map((show): string => showKeys(show).payments);
    const ends = shows.map(() => ">");
    const reply = (await blocking.xreadgroup(
      "GROUP",
      GROUP,
      consumer,
      "COUNT",
      most,
      "BLOCK",
      BLOCK_MS,
      "STREAMS",
      ...keys,
      ...ends,
    )) as [string, RawEntry[]][] | null;
    return (reply ?? []).flatMap(([key, entries]) =>
      read(shows[keys.indexOf(key)] as string, entries),
    );
  };
  /** In a Cluster a read cannot wait for streams on several servers: look at each instead. */
  const lookForNew = async (shows: readonly string[], most: number): Promise<Intent[]> => {
    const found = await Promise.all(
      shows.map(async (show) => {
        const reply = (await redis.xreadgroup(
          "GROUP",
          GROUP,
          consumer,
          "COUNT",
          most,
          "STREAMS",
          showKeys(show).payments,
          ">",
        )) as [string, RawEntry[]][] | null;
        return read(show, reply?.[0]?.[1] ?? []);
      }),
    );
    if (found.every((intents) => intents.length === 0))
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    return found.flat();
  };
  return {
    async next(shows, most) {
      const unfinished = await Promise.all(shows.map((show) => readOwn(show, most)));
      if (unfinished.some((found) => found.length > 0)) return unfinished.flat();
      if (performance.now() >= claimAtMs) {
        claimAtMs = performance.now() + CLAIM_EVERY_MS;
        await Promise.all(shows.map((show) => trim(showKeys(show), { keepMs: KEEP_MS })));
        return (await Promise.all(shows.map((show) => claim(show, most)))).flat();
      }
      if (shows.length > 0)
        return isCluster(redis) ? lookForNew(shows, most) : readNew(shows, most);
      await new Promise((resolve) => setTimeout(resolve, BLOCK_MS));
      return [];
    },
  };
}

const read = (show: string, entries: readonly RawEntry[]): Intent[] =>
  entries.flatMap(([id, fields]) => (fields === null ? [] : [intentOf(show, id, fields)]));

/** As `decide.lua` writes it: what, field = `viewerId|key`, cents, of. */
function intentOf(show: string, id: string, fields: readonly string[]): Intent {
  const named: Record<string, string> = {};
  for (let i = 0; i < fields.length; i += 2) named[fields[i] as string] = fields[i + 1] as string;
  const field = named["field"] ?? "";
  const bar = field.indexOf("|");
  return {
    show,
    id,
    what: named["what"] as "charge" | "refund",
    viewerId: field.slice(0, bar),
    key: field.slice(bar + 1),
    cents: Number(named["cents"]),
    deadlineMs: Number(named["deadlineMs"] ?? 0),
    of: named["of"] ?? "",
  };
}

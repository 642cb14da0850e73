/**
 * Reads a show's ledger stream in Redis. One entry holds the movements of one script call; its id is the number of the first,
 * so a number leads to its entry without an index. Changes nothing but for `trimBelow`, which nobody calls unless asked to.
 */
import type { Redis } from "ioredis";
import { showKeys } from "../redis/keys.ts";
import { type Movement, readEntry } from "./movement.ts";

const PAGE_ENTRIES = 128;

export interface Entry {
  /** Number of its first movement. */
  readonly first: number;
  readonly movements: readonly Movement[];
}

/** Entries whose first movement comes after `no`, oldest first, a page of them. */
export async function entriesAfter(redis: Redis, show: string, no: number): Promise<Entry[]> {
  const { ledger } = showKeys(show);
  const found = await redis.xrangeBuffer(ledger, `${no + 1}-0`, "+", "COUNT", PAGE_ENTRIES);
  return found.map(entryOf);
}

/** The entry with movement `no`, if Redis has it. */
export async function entryWith(
  redis: Redis,
  show: string,
  no: number,
): Promise<Entry | undefined> {
  const found = await redis.xrevrangeBuffer(showKeys(show).ledger, `${no}-0`, "-", "COUNT", 1);
  const entry = found.map(entryOf)[0];
  return entry !== undefined && no < entry.first + entry.movements.length ? entry : undefined;
}

function entryOf([id, fields]: readonly [Buffer, readonly Buffer[]]): Entry {
  const first = Number.parseInt(id.toString(), 10);
  return { first, movements: readEntry(id.toString(), fields[1] as Buffer) };
}

/** All movements from `no` on, a page at a time, as far as they go now. */
export async function* movementsFrom(
  redis: Redis,
  show: string,
  no: number,
): AsyncGenerator<readonly Movement[]> {
  const within = no > 1 ? await entryWith(redis, show, no) : undefined;
  let last = no - 1;
  if (within !== undefined) {
    yield within.movements.slice(no - within.first);
    last = within.first + within.movements.length - 1;
  }
  for (;;) {
    const entries = await entriesAfter(redis, show, last);
    const newest = entries.at(-1);
    if (newest === undefined) return;
    yield entries.flatMap((entry) => entry.movements);
    last = newest.first + newest.movements.length - 1;
  }
}

/** Number of the newest movement; 0 for none. */
export const newestNo = async (redis: Redis, show: string): Promise<number> =>
  Number((await redis.hget(showKeys(show).meta, "ledgerNo")) ?? 0);

/** Number of the oldest movement that Redis still has; undefined for none. */
export async function oldestNo(redis: Redis, show: string): Promise<number | undefined> {
  const [oldest] = await redis.xrange(showKeys(show).ledger, "-", "+", "COUNT", 1);
  return oldest === undefined ? undefined : Number.parseInt(oldest[0], 10);
}

/** Drops the entries that lie wholly before movement `no`. */
export async function trimBelow(redis: Redis, show: string, no: number): Promise<void> {
  const entry = await entryWith(redis, show, no);
  if (entry !== undefined) await redis.xtrim(showKeys(show).ledger, "MINID", `${entry.first}-0`);
}

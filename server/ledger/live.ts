/**
 * Holds a replayed ledger against the live state in Redis [I6] [I8]: the ledger stream entry by entry, drops' books, holds, what each
 * buyer has, orders and the money in them. Safe on a running show: reads in pages and changes nothing; holds that move while it reads
 * may be seen before or after, so they are left out and counted.
 */
import type { Redis } from "ioredis";
import { showKeys } from "../redis/keys.ts";
import { readLine } from "./line.ts";
import { isSameMovement, isSamePublic, type Movement } from "./movement.ts";
import type { Bad, Reason } from "./reason.ts";
import type { Replay, ReplayedHold } from "./replay.ts";
import {
  compareBuyers,
  compareDrops,
  compareHolds,
  compareOrders,
  type Known,
  readBooks,
  readState,
} from "./state.ts";
import { standingLines } from "./stretch.ts";
import { movementsFrom, newestNo, oldestNo } from "./stream.ts";

export interface LiveComparison {
  readonly bad: Bad | undefined;
  /** Entries that the files and Redis both have. */
  readonly same: number;
  /** Entries that only Redis has: the tail has yet to write them. */
  readonly ahead: number;
  readonly holds: number;
  readonly orders: number;
  readonly orderCents: number;
  /** Holds left out, because they moved meanwhile. */
  readonly moving: number;
  readonly currency: string;
}

export interface LivePorts {
  readonly redis: Redis;
  readonly show: string;
  /** Of the show's files. */
  readonly folder: string;
  /** Of those files, as far as `lastNo`; goes on here with what only Redis has. */
  readonly replay: Replay;
  readonly lastNo: number;
}

/** @returns undefined when Redis has no such show */
export async function compareLive(ports: LivePorts): Promise<LiveComparison | undefined> {
  const { redis, show, replay, lastNo } = ports;
  const currency = await redis.hget(showKeys(show).meta, "currency");
  if (currency === null) return undefined;
  const firstLookNo = await newestNo(redis, show);
  const state = await readState(redis, show);
  const { drops, no } = await readBooks(redis, show);
  const same = await compareStream(ports);
  const ahead = same.bad ?? (no < lastNo ? filesAhead(no, lastNo) : await readOn(ports, no));
  const known = knownHolds(replay, firstLookNo);
  return {
    bad:
      ahead ??
      compareDrops(drops, replay) ??
      compareHolds(state, known) ??
      compareBuyers(state, known) ??
      compareOrders(state, known),
    same: same.count,
    ahead: Math.max(0, no - lastNo),
    holds: state.holds.size,
    orders: state.orders.length,
    orderCents: state.orders.reduce((sum, { amountCents }) => sum + amountCents, 0),
    moving: known.moving.size,
    currency,
  };
}

/** What files and stream both have must be the same. */
async function compareStream({
  redis,
  show,
  folder,
  lastNo,
}: LivePorts): Promise<{ readonly bad?: Bad; readonly count: number }> {
  const from = (await oldestNo(redis, show)) ?? lastNo + 1;
  const stream = oneByOne(movementsFrom(redis, show, from));
  let no = 0;
  let count = 0;
  for await (const lines of standingLines(folder))
    for (const { text, file, line } of lines) {
      no++;
      if (no > lastNo) return { count };
      if (no < from) continue;
      const { value: live } = await stream.next();
      const why = difference(readLine(text, show), live, no);
      if (why !== undefined) return { bad: { ...why, file, line, no }, count };
      count++;
    }
  return { count };
}

export async function* oneByOne(
  pages: AsyncGenerator<readonly Movement[]>,
): AsyncGenerator<Movement, undefined> {
  for await (const page of pages) yield* page;
  return undefined;
}

/** Of a line in a file and the movement of that number in Redis; undefined: none. */
export function difference(
  filed: ReturnType<typeof readLine>,
  live: Movement | undefined,
  no: number,
): Reason | undefined {
  if ("en" in filed) return filed;
  if (live?.no !== no) return NOT_IN_REDIS;
  const isRedacted = filed.hold !== "" && filed.holdId === "";
  const isSame = isRedacted ? isSamePublic(filed, live) : isSameMovement(filed, live);
  return isSame ? undefined : NOT_AS_IN_REDIS;
}

/** Replays what comes after the files, up to `until`. */
async function readOn(
  { redis, show, replay, lastNo }: LivePorts,
  until: number,
): Promise<Bad | undefined> {
  const { holdAt, buyerAt } = commitments(replay);
  let due = lastNo + 1;
  for await (const page of movementsFrom(redis, show, due))
    for (const movement of page) {
      if (movement.no > until) return undefined;
      if (movement.no !== due) return { ...NOT_IN_REDIS, no: due };
      const { holdId, viewerId, dropId } = movement;
      const field = `${viewerId}|${holdId}`;
      const hold = holdId === "" ? "" : (holdAt.get(field) ?? field);
      const buyerField = `${dropId}|${viewerId}`;
      const buyer = holdId === "" ? "" : (buyerAt.get(buyerField) ?? buyerField);
      const why = replay.apply({ ...movement, hold, buyer });
      if (why !== undefined) return { ...why, no: due };
      due++;
    }
  return due > until ? undefined : { ...NOT_IN_REDIS, no: due };
}

/** Under which commitments the files know a hold and a buyer. */
function commitments({ holds }: Replay): {
  readonly holdAt: ReadonlyMap<string, string>;
  readonly buyerAt: ReadonlyMap<string, string>;
} {
  const holdAt = new Map<string, string>();
  const buyerAt = new Map<string, string>();
  for (const [commitment, { viewerId, holdId, dropId, buyer }] of holds) {
    if (holdId === "") continue;
    holdAt.set(`${viewerId}|${holdId}`, commitment);
    buyerAt.set(`${dropId}|${viewerId}`, buyer);
  }
  return { holdAt, buyerAt };
}

function knownHolds({ holds }: Replay, firstLookNo: number): Known {
  const byField = new Map<string, ReplayedHold>();
  const moving = new Set<string>();
  let redacted = 0;
  for (const hold of holds.values()) {
    const field = `${hold.viewerId}|${hold.holdId}`;
    if (hold.holdId === "") redacted++;
    else byField.set(field, hold);
    if (hold.lastNo > firstLookNo) moving.add(field);
  }
  return { byField, moving, redacted };
}

const NOT_IN_REDIS: Reason = { en: "Redis does not have this entry", zh: "Redis 中没有此条分录" };
const NOT_AS_IN_REDIS: Reason = {
  en: "it is not the same here and in Redis",
  zh: "此条与 Redis 中的分录不同",
};

const filesAhead = (no: number, lastNo: number): Bad => ({
  en: `the files go on to ${lastNo}, Redis ends with ${no}`,
  zh: `文件记到第 ${lastNo} 条，Redis 止于第 ${no} 条`,
  no: no + 1,
});

/** Reads a whole show from Redis in one atomic step: what a node needs before it can follow the log. */
import {
  type Comment,
  type Coupon,
  type Drop,
  emptyRoom,
  forgetOld,
  FRAMES,
  LIMITS,
  type Product,
  rawOf,
} from "#wire";
import type { Redis } from "ioredis";
import { showKeys } from "../redis/keys.ts";
import { readClaims, readComments, readHold } from "./entries.ts";
import { type LogEntry, readEntry } from "./log.ts";
import type { Opened } from "./mirror.ts";
import { rulesFrom, type StoredModeration } from "./moderation/gate.ts";

const MAX_HISTORY = 2000;

export interface OpenedShow extends Opened {
  readonly moderation: StoredModeration;
  /** Drops of class replica. */
  readonly guarded: readonly string[];
  /** Of the newest entry of the log. */
  readonly lastId: string;
}

/** @returns undefined when there is no such show */
export async function openShow(redis: Redis, show: string): Promise<OpenedShow | undefined> {
  const keys = showKeys(show);
  const replies = await redis
    .multi()
    .hgetall(keys.meta)
    .hgetall(keys.products)
    .lrange(keys.pinned, 0, -1)
    .hgetall(keys.drops)
    .hgetall(keys.holds)
    .hgetall(keys.muted)
    .hgetall(keys.coupons)
    .hgetall(keys.claims)
    .hgetall(keys.rules)
    .smembers(keys.shadowed)
    .smembers(keys.removed)
    .get(keys.pinnedComment)
    .xrevrangeBuffer(keys.log, "+", "-", "COUNT", MAX_HISTORY)
    .exec();
  if (replies === null) throw new Error("the transaction was discarded");
  const [
    meta,
    products,
    pinned,
    drops,
    holds,
    muted,
    coupons,
    claims,
    rules,
    shadowed,
    removed,
    top,
    log,
  ] = replies.map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  }) as Replies;
  const epoch = meta["epoch"];
  if (epoch === undefined) return undefined;
  const history = log.toReversed().map(readEntry);
  const number = (field: string): number => Number(meta[field] ?? 0);
  return {
    epoch,
    state: {
      ...emptyRoom(),
      title: meta["title"] ?? "",
      currency: meta["currency"] ?? "CNY",
      state: (meta["state"] ?? "scheduled") as "live",
      products: parsed<Product>(products),
      pinned,
      drops: shownDrops(drops),
      viewers: number("viewers"),
      viewersVersion: number("viewersVersion"),
      likes: number("likes"),
      shares: number("shares"),
      totalsVersion: number("totalsVersion"),
      comments: recentComments(history),
      coupons: parsed<Coupon>(coupons),
      slowModeMs: rulesFrom(rules).slowModeMs,
      pinnedComment: top === null ? undefined : (JSON.parse(top) as Comment),
      offset: number("offset"),
    },
    moderation: { rules, shadowed, removed },
    guarded: guardedDrops(drops),
    orders: Object.entries(holds).map(([field, packed]) => readHold(field, packed)),
    muted: Object.entries(muted).map(([viewerId, untilMs]) => [viewerId, Number(untilMs)] as const),
    kept: Object.entries(claims).map(([field, list]) =>
      readClaims(field, list, number("claimVersion")),
    ),
    history,
    lastId: history.at(-1)?.id ?? "0-0",
  };
}

type Hash = Readonly<Record<string, string>>;
type Replies = [
  ...[meta: Hash, products: Hash, pinned: string[], drops: Hash, holds: Hash, muted: Hash],
  ...[
    coupons: Hash,
    claims: Hash,
    rules: Hash,
    shadowed: string[],
    removed: string[],
    top: string | null,
  ],
  log: Parameters<typeof readEntry>[0][],
];

const parsed = <T>(hash: Hash): Map<string, T> =>
  new Map(Object.entries(hash).map(([id, json]) => [id, JSON.parse(json) as T]));

const guardedDrops = (hash: Hash): readonly string[] =>
  [...parsed<{ readonly durability?: string }>(hash)]
    .filter(([, { durability }]) => durability === "replica")
    .map(([dropId]) => dropId);

function shownDrops(hash: Hash): Map<string, Drop> {
  const drops = new Map(
    [...parsed<Drop>(hash)].sort(([, a], [, b]) => a.startsAtMs - b.startsAtMs),
  );
  forgetOld(drops);
  return drops;
}

function recentComments(history: readonly LogEntry[]): readonly Comment[] {
  const deleted = new Set<number>();
  const comments: Comment[] = [];
  for (const { fields } of history)
    for (const [field, bytes] of fields) {
      if (field === "R") {
        const [opcode, , commentNo] = rawOf(bytes) as number[];
        if (opcode === FRAMES.commentDeleted.opcode) deleted.add(commentNo as number);
      } else if (field === "V") comments.push(...readComments(bytes).comments);
    }
  return comments.filter((c) => !deleted.has(c.no)).slice(-LIMITS.maxRecentComments);
}

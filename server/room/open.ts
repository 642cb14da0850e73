/** Reads a whole show from Redis in one atomic step: what a node needs before it can follow the log. */
import {
  type Comment,
  type Coupon,
  type Drop,
  emptyRoom,
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

const MAX_HISTORY = 2000;

/** @returns the show and the id of its newest log entry; undefined when there is no such show */
export async function openShow(
  redis: Redis,
  show: string,
): Promise<(Opened & { readonly lastId: string }) | undefined> {
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
    .xrevrangeBuffer(keys.log, "+", "-", "COUNT", MAX_HISTORY)
    .exec();
  if (replies === null) throw new Error("the transaction was discarded");
  const [meta, products, pinned, drops, holds, muted, coupons, claims, log] = replies.map(
    ([error, reply]) => {
      if (error !== null) throw error;
      return reply;
    },
  ) as [Hash, Hash, string[], Hash, Hash, Hash, Hash, Hash, Parameters<typeof readEntry>[0][]];
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
      drops: new Map([...parsed<Drop>(drops)].sort(([, a], [, b]) => a.startsAtMs - b.startsAtMs)),
      viewers: number("viewers"),
      viewersVersion: number("viewersVersion"),
      likes: number("likes"),
      shares: number("shares"),
      totalsVersion: number("totalsVersion"),
      comments: recentComments(history),
      coupons: parsed<Coupon>(coupons),
      offset: number("offset"),
    },
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

const parsed = <T>(hash: Hash): Map<string, T> =>
  new Map(Object.entries(hash).map(([id, json]) => [id, JSON.parse(json) as T]));

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

/** Reads a show's state for HTTP: one round trip per call, nothing cached, nothing changed. Times are Redis TIME. */
import type { Product } from "#wire";
import type { ChainableCommander, Redis } from "ioredis";
import { showKeys } from "../redis/keys.ts";
import { connectionFor } from "../redis/place.ts";
import { type DropView, type StoredDrop, viewOf } from "./drop-view.ts";

export interface ShowFacts {
  readonly id: string;
  readonly title: string;
  readonly currency: string;
  readonly state: "scheduled" | "live" | "ended";
  readonly createdAtMs: number;
  readonly startedAtMs?: number;
  readonly endedAtMs?: number;
  readonly viewers: number;
  readonly peakViewers: number;
  readonly likes: number;
  readonly shares: number;
  readonly comments: number;
  readonly products: number;
  readonly drops: number;
  readonly orders: number;
  /** Holds that something was odd about. */
  readonly flagged: number;
}

type Hash = Readonly<Record<string, string>>;

/** All replies of a pipeline. @throws its first error */
export async function all(commands: ChainableCommander): Promise<unknown[]> {
  return ((await commands.exec()) ?? []).map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
}

const msOf = ([seconds, micros]: readonly (string | number)[]): number =>
  Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);

export const nowOf = async (redis: Redis): Promise<number> => msOf(await redis.time());

/** @returns one entry per id, undefined where there is no such show */
export async function readShows(
  redis: Redis,
  shows: readonly string[],
): Promise<(ShowFacts | undefined)[]> {
  return Promise.all(
    shows.map(async (show) => {
      const keys = showKeys(show);
      // A pipeline per show: in a Cluster the next one may be elsewhere.
      const pipeline = redis
        .pipeline()
        .hgetall(keys.meta)
        .hlen(keys.products)
        .hlen(keys.drops)
        .hlen(keys.flags);
      return factsOf(show, (await all(pipeline)) as [Hash, number, number, number]);
    }),
  );
}

/** Replicas that are connected to the primary of the show. */
export async function countReplicas(redis: Redis, show: string): Promise<number> {
  const facts = await connectionFor(redis, showKeys(show).meta)?.info("replication");
  return Number(/^connected_slaves:(\d+)/m.exec(facts ?? "")?.[1] ?? 0);
}

function factsOf(
  id: string,
  [meta, products, drops, flagged]: [Hash, number, number, number],
): ShowFacts | undefined {
  const { title, currency, state } = meta;
  if (title === undefined || currency === undefined || state === undefined) return undefined;
  const number = (field: string): number => Number(meta[field] ?? 0);
  return {
    id,
    title,
    currency,
    state: state as ShowFacts["state"],
    createdAtMs: number("createdAtMs"),
    ...(meta["startedAtMs"] === undefined ? {} : { startedAtMs: number("startedAtMs") }),
    ...(meta["endedAtMs"] === undefined ? {} : { endedAtMs: number("endedAtMs") }),
    viewers: number("viewers"),
    peakViewers: number("peakViewers"),
    likes: number("likes"),
    shares: number("shares"),
    comments: number("commentNo"),
    products,
    flagged,
    drops,
    orders: number("orderNo"),
  };
}

export const hasShow = async (redis: Redis, show: string): Promise<boolean> =>
  (await redis.hexists(showKeys(show).meta, "epoch")) === 1;

export const stateOf = async (redis: Redis, show: string): Promise<ShowFacts["state"] | null> =>
  (await redis.hget(showKeys(show).meta, "state")) as ShowFacts["state"] | null;

export const currencyOf = async (redis: Redis, show: string): Promise<string> =>
  (await redis.hget(showKeys(show).meta, "currency")) ?? "";

/** In order of sku. */
export async function readProducts(redis: Redis, show: string): Promise<Product[]> {
  const stored = await redis.hvals(showKeys(show).products);
  return stored.map((json) => JSON.parse(json) as Product).sort((a, b) => (a.sku < b.sku ? -1 : 1));
}

export async function readProduct(
  redis: Redis,
  show: string,
  sku: string,
): Promise<Product | undefined> {
  const json = await redis.hget(showKeys(show).products, sku);
  return json === null ? undefined : (JSON.parse(json) as Product);
}

/** Newest start first. */
export async function readDrops(redis: Redis, show: string): Promise<DropView[]> {
  const [time, stored] = (await all(redis.pipeline().time().hvals(showKeys(show).drops))) as [
    string[],
    string[],
  ];
  const nowMs = msOf(time);
  return stored
    .map((json) => viewOf(JSON.parse(json) as StoredDrop, nowMs))
    .sort((a, b) => b.startsAtMs - a.startsAtMs);
}

export async function readDrop(
  redis: Redis,
  show: string,
  dropId: string,
): Promise<DropView | undefined> {
  const [time, json] = (await all(redis.pipeline().time().hget(showKeys(show).drops, dropId))) as [
    string[],
    string | null,
  ];
  return json === null ? undefined : viewOf(JSON.parse(json) as StoredDrop, msOf(time));
}

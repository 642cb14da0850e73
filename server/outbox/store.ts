/** The outbox of a show in Redis: deriving events, reading them, and how far each webhook has got. One round trip per call. */
import type { Redis } from "ioredis";
import { showKeys } from "../redis/keys.ts";
import { loadScript } from "../redis/lua.ts";
import type { DropFacts, RawEntry } from "./events.ts";
import type { Item, QueueChanges } from "./queue.ts";

/** How far a webhook is in a show. */
export interface Progress {
  /** Everything up to event `no` of outbox entry `entryId` is delivered or parked. */
  readonly entryId: string;
  readonly no: number;
  readonly delivered: number;
  /** Events up to `no` that are parked. */
  readonly parked: number;
  readonly failures: number;
  readonly failingSinceMs?: number;
  readonly lastError?: string;
}

export interface Derived {
  readonly word: "derived" | "more" | "other" | "gone";
  /** Changes when what was read of the progress is out of date. */
  readonly turn: number;
  /** Events in this show so far. */
  readonly events: number;
  readonly gaps: number;
}

export interface Settling {
  readonly show: string;
  readonly turn: number;
  readonly webhookId: string;
  readonly progress: Progress;
  readonly changes: Pick<QueueChanges, "parked" | "unparked">;
}

export interface OutboxStore {
  derive(show: string): Promise<Derived>;
  /** @returns lost: another process has taken over, or the webhook was replayed: forget all, and read it anew */
  settle(what: Settling): Promise<"kept" | "lost">;
  /** @param progress undefined forgets the webhook */
  rewind(
    show: string,
    webhookId: string,
    progress: Progress | undefined,
    fromNo: number,
  ): Promise<void>;
  /** By webhook id. */
  progressOf(show: string): Promise<ReadonlyMap<string, Progress>>;
  /** By webhook id, in order of number. */
  parkedOf(show: string): Promise<ReadonlyMap<string, readonly Item[]>>;
  /** @param from an entry id; `(id` for what comes after it */
  entriesFrom(show: string, from: string, most: number): Promise<readonly RawEntry[]>;
  eventsOf(show: string): Promise<number>;
  titleOf(show: string): Promise<{ readonly title: string; readonly currency: string }>;
  dropsOf(show: string, dropIds: readonly string[]): Promise<readonly (DropFacts | undefined)[]>;
}

/** After this long without a sign, another process may take over. */
const LEASE_MS = 5000;
const MOST_PER_CALL = 500;

const file = (name: string): URL => new URL(`${name}.lua`, import.meta.url);

/** @param owner this process's name; the same after a restart, so that it goes on at once */
export function createOutboxStore(redis: Redis, owner: string): OutboxStore {
  const derive = loadScript(redis, {
    file: file("derive"),
    keys: ["meta", "log", "drops", "holds", "outbox", "outboxAt"],
    args: ["owner", "leaseMs", "most"],
    read: (reply) => {
      const [word, turn, events, gaps] = reply as [Buffer, number, number, number];
      return { word: word.toString() as Derived["word"], turn, events, gaps };
    },
  });
  const settle = loadScript(redis, {
    file: file("settle"),
    keys: ["outboxAt", "outboxTo", "outboxParked"],
    args: ["owner", "turn", "webhookId", "progress", "parked", "unparked"],
    read: (reply) => String(reply) as "kept" | "lost",
  });
  const rewind = loadScript(redis, {
    file: file("rewind"),
    keys: ["outboxAt", "outboxTo", "outboxParked"],
    args: ["webhookId", "progress", "fromNo"],
    read: () => undefined,
  });
  return {
    derive: (show) => derive(showKeys(show), { owner, leaseMs: LEASE_MS, most: MOST_PER_CALL }),
    settle: ({ show, turn, webhookId, progress, changes }) =>
      settle(showKeys(show), {
        owner,
        turn,
        webhookId,
        progress: JSON.stringify(progress),
        parked: JSON.stringify(
          Object.fromEntries(changes.parked.map((item) => [item.no, JSON.stringify(item)])),
        ),
        unparked: JSON.stringify(changes.unparked),
      }),
    rewind: (show, webhookId, progress, fromNo) =>
      rewind(showKeys(show), {
        webhookId,
        progress: progress === undefined ? "" : JSON.stringify(progress),
        fromNo,
      }),
    async progressOf(show) {
      const stored = await redis.hgetall(showKeys(show).outboxTo);
      return new Map(
        Object.entries(stored).map(([id, json]) => [id, JSON.parse(json) as Progress]),
      );
    },
    async parkedOf(show) {
      const byWebhook = new Map<string, Item[]>();
      for (const [field, json] of Object.entries(
        await redis.hgetall(showKeys(show).outboxParked),
      )) {
        const webhookId = field.slice(0, field.lastIndexOf("|"));
        const items = byWebhook.get(webhookId) ?? [];
        byWebhook.set(webhookId, [...items, JSON.parse(json) as Item]);
      }
      for (const items of byWebhook.values()) items.sort((a, b) => a.no - b.no);
      return byWebhook;
    },
    entriesFrom: (show, from, most) =>
      redis.xrangeBuffer(showKeys(show).outbox, from, "+", "COUNT", most),
    eventsOf: async (show) => Number((await redis.hget(showKeys(show).outboxAt, "events")) ?? 0),
    async titleOf(show) {
      const [title, currency] = await redis.hmget(showKeys(show).meta, "title", "currency");
      return { title: title ?? "", currency: currency ?? "" };
    },
    async dropsOf(show, dropIds) {
      if (dropIds.length === 0) return [];
      const stored = await redis.hmget(showKeys(show).drops, ...dropIds);
      return stored.map((json) => (json === null ? undefined : dropFactsOf(json)));
    },
  };
}

function dropFactsOf(json: string): DropFacts {
  const { sku, title, priceCents, allotment, perBuyerLimit, startsAtMs, endsAtMs } = JSON.parse(
    json,
  ) as DropFacts;
  return { sku, title, priceCents, allotment, perBuyerLimit, startsAtMs, endsAtMs };
}

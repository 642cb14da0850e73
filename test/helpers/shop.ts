/** A shop on a throwaway Redis, as two nodes see it, without gateways: for tests of drops, holds and payments. */
import type { Redis } from "ioredis";
import { connectRedis, whenReady } from "../../server/redis/connect.ts";
import { showKeys } from "../../server/redis/keys.ts";
import { createShows, type Shows } from "../../server/room/shows.ts";
import {
  createInventory,
  type DropAnswer,
  type DropRequest,
  type Inventory,
  type NewDrop,
} from "../../server/shop/inventory.ts";
import { checkHolds, checkLedger, type LiveDrop, liveDrops, readLedger } from "./books.ts";
import { startThrowawayRedis, type ThrowawayRedis } from "./redis.ts";

export type Ask = Partial<DropRequest> & Pick<DropRequest, "what" | "viewerId">;

export interface Shop {
  readonly server: ThrowawayRedis;
  readonly redis: Redis;
  readonly shows: Shows;
  /** Two nodes, each with its own connection. */
  readonly nodes: readonly [Inventory, Inventory];
  /** A new show with 1000 units of `tea` and one drop `d` of 10, open now, one each. @returns the show */
  open(terms?: Partial<NewDrop>): Promise<string>;
  /** One request on its own; key `k`, drop `d`, one unit unless told otherwise. */
  ask(show: string, request: Ask, via?: Inventory): Promise<DropAnswer>;
  hold(show: string, viewerId: string, more?: Partial<DropRequest>): Promise<DropAnswer>;
  theDrop(show: string): Promise<LiveDrop>;
  /** @param plannedEndMs for a drop that was closed by hand */
  checkBooks(show: string, plannedEndMs?: number): Promise<void>;
  /** Ids and fields of the payments stream. */
  intents(show: string): Promise<[id: string, fields: string[]][]>;
  stop(): Promise<void>;
}

let made = 0;

export async function startShop({ fsyncAlways }: { fsyncAlways: boolean }): Promise<Shop> {
  const server = await startThrowawayRedis({ fsyncAlways });
  const redis = connectRedis(server.url, "command");
  const other = connectRedis(server.url, "command");
  await Promise.all([whenReady(redis), whenReady(other)]);
  const shows = createShows(redis);
  const nodes = [createInventory(redis), createInventory(other)] as const;
  const [first] = nodes;

  const ask: Shop["ask"] = async (show, request, via = first) => {
    const dropId = request.what === "hold" || request.what === "wait" ? "d" : "";
    const [answer] = await via.decide(show, [{ key: "k", dropId, quantity: 1, ...request }]);
    return answer as DropAnswer;
  };
  return {
    server,
    redis,
    shows,
    nodes,
    ask,
    async open(terms = {}) {
      const show = `s${++made}`;
      await shows.create(show, { title: "茶", currency: "CNY" });
      const tea = { sku: "tea", title: "白茶", priceCents: 9900, stock: 1000 };
      await shows.addProduct(show, { ...tea, imageUrl: "", category: "" });
      const [word] = await first.allot(show, {
        ...TERMS,
        endsAtMs: Date.now() + 600_000,
        ...terms,
      });
      if (word !== "allotted") throw new Error(word);
      return show;
    },
    hold: (show, viewerId, more = {}) => ask(show, { what: "hold", viewerId, ...more }),
    theDrop: async (show) => (await liveDrops(redis, show))[0] as LiveDrop,
    async checkBooks(show, plannedEndMs) {
      const ledger = await readLedger(redis, show);
      checkLedger(ledger, await liveDrops(redis, show), plannedEndMs);
      checkHolds(ledger, false);
    },
    intents: (show) => redis.xrange(showKeys(show).payments, "-", "+"),
    async stop() {
      redis.disconnect();
      other.disconnect();
      await server.stop();
    },
  };
}

const TERMS = {
  dropId: "d",
  sku: "tea",
  priceCents: 4900,
  allotment: 10,
  perBuyerLimit: 1,
  holdMs: 60_000,
  startsAtMs: 0,
} as const;

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

/** Outboxes and receivers on a throwaway Redis; only the time between attempts is shorter than in life. */
import type { Redis } from "ioredis";
import { pino } from "pino";
import { createEndpoints, type Endpoint } from "../../server/outbox/endpoints.ts";
import type { EventType } from "../../server/outbox/events.ts";
import { type Outbox, type OutboxPorts, startOutbox } from "../../server/outbox/outbox.ts";
import { createPostman } from "../../server/outbox/post.ts";
import { createOutboxStore, type OutboxStore } from "../../server/outbox/store.ts";
import type { DropRequest, NewDrop } from "../../server/shop/inventory.ts";
import { type Received, type Receiver, startReceiver } from "./receiver.ts";
import { type Shop, startShop } from "./shop.ts";

export interface OutboxWorld {
  readonly shop: Shop;
  readonly redis: Redis;
  /** Reads, and delivers nothing. */
  readonly store: OutboxStore;
  open(terms?: Partial<NewDrop>): Promise<string>;
  receiver(): Promise<Receiver>;
  hook(to: Receiver, types?: readonly EventType[]): Promise<Endpoint>;
  /** @param own of its ports */
  outbox(owner?: string, own?: Partial<Pick<OutboxPorts, "backoff" | "chance">>): Outbox;
  ask(show: string, ...requests: readonly Ask[]): Promise<unknown>;
  buy(show: string, viewerId: string): Promise<unknown>;
  /** Ends outboxes, receivers and webhooks of one test. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

type Ask = Pick<DropRequest, "what" | "viewerId"> & Partial<DropRequest>;

const SECRET = "a secret of sixteen";

export async function startOutboxWorld(): Promise<OutboxWorld> {
  const shop = await startShop({ fsyncAlways: false });
  const { redis } = shop;
  const listed = new Set<string>();
  const outboxes: Outbox[] = [];
  const receivers: Receiver[] = [];
  const endpoints = createEndpoints(redis);
  const ask: OutboxWorld["ask"] = (show, ...requests) =>
    shop.nodes[0].decide(
      show,
      requests.map((request) => ({
        key: "k",
        dropId: request.what === "hold" ? "d" : "",
        quantity: 1,
        ...request,
      })),
    );
  return {
    shop,
    redis,
    store: createOutboxStore(redis, ""),
    ask,
    async open(terms = {}) {
      const show = await shop.open({ allotment: 100, perBuyerLimit: 9, ...terms });
      listed.add(show);
      return show;
    },
    async receiver() {
      const one = await startReceiver(() => SECRET);
      receivers.push(one);
      return one;
    },
    hook: (to, types = []) => endpoints.add(to.url, types, SECRET),
    outbox(owner = "control-0", own = {}) {
      const one = startOutbox({
        store: createOutboxStore(redis, owner),
        endpoints,
        postman: createPostman({
          timeoutMs: 1000,
          nowS: () => Date.now() / 1000,
          allowsAll: false,
        }),
        shows: () => listed,
        allShows: async () => [...listed],
        mayTell: async () => true,
        backoff: { firstMs: 20, longestMs: 150 },
        chance: Math.random,
        log: pino({ level: "silent" }),
        ...own,
      });
      outboxes.push(one);
      return one;
    },
    buy: (show, viewerId) =>
      ask(
        show,
        { what: "hold", viewerId },
        { what: "pay", viewerId },
        { what: "settle", viewerId },
      ),
    async clear() {
      await Promise.all(outboxes.splice(0).map((one) => one.stop()));
      await Promise.all(receivers.splice(0).map((one) => one.stop()));
      for (const { id } of await endpoints.list()) await endpoints.remove(id);
      listed.clear();
    },
    stop: () => shop.stop(),
  };
}

/** What it was told, each event once: an answer that is lost brings its event again. */
export const toldOnce = (to: Receiver): Received[] => [
  ...new Map(to.taken.map((e) => [e.id, e])).values(),
];

/** What a receiver was told of one viewer's order, in order. */
export const typesOf = (to: Receiver, show: string, viewerId: string): string[] =>
  toldOnce(to)
    .filter((e) => e.show === show && e.data["viewerId"] === viewerId)
    .map((e) => e.type);

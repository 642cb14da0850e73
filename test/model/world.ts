/** The real thing beside the model: one show as two nodes see it, a cashier, and all there is to see of it in Redis. */
import type { Redis } from "ioredis";
import { createReturns, type Returns } from "../../server/payments/returns.ts";
import { connectRedis, whenReady } from "../../server/redis/connect.ts";
import { isOutage } from "../../server/redis/outage.ts";
import { showKeys } from "../../server/redis/keys.ts";
import { createShows, type Shows } from "../../server/room/shows.ts";
import { createInventory, type DropRequest, type Inventory } from "../../server/shop/inventory.ts";
import { type ClockedRedis, startClockedRedis } from "./clock.ts";
import { look, type Look } from "./look.ts";
import { type Answer, type Deed, orderId, type Request } from "./shop.ts";
import { type Terms, dropsOf, PRICE_CENTS, COUPONS, STOCK } from "./terms.ts";

interface Node {
  readonly redis: Redis;
  readonly inventory: Inventory;
  readonly returns: Returns;
}

export interface World {
  readonly clock: ClockedRedis;
  readonly redis: Redis;
  /** A new show on these terms. */
  open(terms: Terms): Promise<RealShow>;
  /** SIGKILL of Redis, while it may be deciding; resolves when both nodes are back and nothing of theirs is under way. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

export interface RealShow {
  readonly show: string;
  /** Carries out one deed through a node. @returns undefined when no answer came: it may or may not have been done */
  act(via: 0 | 1, deed: Deed): Promise<readonly Answer[] | undefined>;
  /** All there is to see. The cashier looks, too: from then on its words about new payments count. */
  look(): Promise<Look>;
}

/**
 * @param world.connected changes what a node's connection runs: where mutants come in
 * @param world.fsyncAlways where Redis is killed
 */
export async function startModelWorld({
  connected = (redis: Redis) => redis,
  fsyncAlways = false,
} = {}): Promise<World> {
  const clock = await startClockedRedis(fsyncAlways);
  const connections = [0, 1, 2].map(() => connectRedis(clock.url, "command"));
  await Promise.all(connections.map((redis) => whenReady(redis)));
  const redis = connections[2] as Redis;
  const nodes = connections.slice(0, 2).map((own): Node => {
    const changed = connected(own);
    return { redis: own, inventory: createInventory(changed), returns: createReturns(changed) };
  });
  const shows = createShows(redis);
  let made = 0;
  return {
    clock,
    redis,
    async open(terms) {
      const show = `m${++made}`;
      await openShow(shows, nodes[0] as Node, { show, terms, nowMs: clock.nowMs });
      return createRealShow(show, redis, nodes);
    },
    async crash() {
      await clock.crash();
      await Promise.all(connections.map((one) => whenReady(one)));
      // Commands of a connection are answered in order: behind this one nothing is left of before.
      await Promise.all(connections.map((one) => one.ping()));
    },
    async stop() {
      for (const one of connections) one.disconnect();
      await clock.stop();
    },
  };
}

async function openShow(
  shows: Shows,
  { inventory, redis }: Node,
  { show, terms, nowMs }: { show: string; terms: Terms; nowMs: number },
): Promise<void> {
  await shows.create(show, { title: "茶", currency: "CNY" });
  const tea = {
    sku: "tea",
    title: "白茶",
    priceCents: 9900,
    stock: STOCK,
    imageUrl: "",
    category: "",
  };
  // The policy for returns is kept with the product, and not on the wire.
  await shows.addProduct(show, Object.assign(tea, { restock: terms.returnsTo }));
  for (const [dropId, drop] of Object.entries(dropsOf(terms, nowMs))) {
    const { allotted, limit, isReplica, seed, ...more } = drop;
    await inventory.allot(show, {
      ...more,
      dropId,
      sku: "tea",
      priceCents: PRICE_CENTS,
      allotment: allotted,
      perBuyerLimit: limit,
      durability: isReplica ? "replica" : "disk",
    });
    // Chance is the history's own: each time it is played it draws alike.
    if (more.mode !== "fcfs") await redis.hset(showKeys(show).seeds, dropId, seed);
  }
  for (const [couponId, { budget, limit, lastsMs, ...coupon }] of Object.entries(COUPONS))
    await inventory.addCoupon(show, {
      ...coupon,
      couponId,
      title: "券",
      sku: "",
      perViewerLimit: limit,
      left: budget,
      startsAtMs: 0,
      endsAtMs: nowMs + lastsMs,
      version: 1,
    });
}

function createRealShow(show: string, redis: Redis, nodes: readonly Node[]): RealShow {
  const keys = showKeys(show);
  /** The cashier's payments, in the order in which the shop asked for them. */
  const payments: { readonly id: string; readonly field: string }[] = [];

  const asked = (request: Request): DropRequest => {
    if (!("payment" in request)) {
      const subject =
        "dropId" in request ? request.dropId : "couponId" in request ? request.couponId : "";
      return { quantity: 0, ...request, dropId: subject };
    }
    const { id, field } = payments[request.payment] as (typeof payments)[number];
    const [viewerId = "", key = ""] = field.split("|");
    return { what: request.what, viewerId, key, dropId: "", quantity: 0, intentId: id };
  };
  const carryOut = async ({ inventory, returns }: Node, deed: Deed): Promise<readonly Answer[]> => {
    switch (deed.what) {
      case "batch":
        return inventory.decide(show, deed.requests.map(asked), deed.perCall);
      case "restock":
        return [await inventory.restock(show, deed.dropId, deed.units)];
      case "close":
        return [[await inventory.close(show, deed.dropId)]];
      case "void":
        return [(await inventory.void(show, deed.dropId, "wrong price")).slice(0, 1)];
      case "takeBack":
        return [[await returns.takeBack(show, orderId(deed.order), "broken")]];
      case "draw":
        return [[await inventory.draw(show, deed.dropId)]];
      case "sweep":
        return [["swept", ...(await inventory.sweep(show)).draws]];
    }
  };
  return {
    show,
    async act(via, deed) {
      try {
        return await carryOut(nodes[via] as Node, deed);
      } catch (fault) {
        if (!isOutage(fault)) throw fault;
        return undefined;
      }
    },
    async look() {
      // Both are sent in one go.
      const [reply, seen] = await Promise.all([
        redis.xreadgroup("GROUP", "cashier", "model", "STREAMS", keys.payments, ">"),
        look(redis, show),
      ]);
      const [[, entries] = ["", []]] = (reply ?? []) as [string, [string, string[]][]][];
      for (const [id, fields] of entries) payments.push({ id, field: fields[3] ?? "" });
      return seen;
    },
  };
}

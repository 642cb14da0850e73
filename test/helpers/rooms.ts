/** A real gateway on a throwaway Redis, in the test's own process: for tests of rooms that need no supervisor. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { connect, type ConnectOptions, type Live } from "#sdk";
import type { Role } from "#wire";
import { deriveTokenSecret, readConfig } from "../../server/config.ts";
import { startGateway } from "../../server/gateway/index.ts";
import { createRunning, type Running } from "../../server/lifecycle.ts";
import { connectRedis, whenReady } from "../../server/redis/connect.ts";
import { createShows, type Shows } from "../../server/room/shows.ts";
import { createInventory, type Inventory, type NewDrop } from "../../server/shop/inventory.ts";
import { createTokens, type Tokens } from "../../server/tokens.ts";
import { startThrowawayRedis, type ThrowawayRedis } from "./redis.ts";

export const ADMIN_KEY = "test-admin-key-0123456789";
/** What all nodes of a world sign with. */
export const SECRET = deriveTokenSecret(ADMIN_KEY);

export interface Gateway {
  readonly url: string;
  readonly node: string;
  /** Signs what this node accepts. */
  readonly tokens: Tokens;
  stop(): Promise<void>;
}

/** A Redis that a test brings itself. */
export interface Store {
  /** For `connectRedis`. */
  readonly url: string;
  stop(): Promise<void>;
}

export interface World<S extends Store = ThrowawayRedis> {
  readonly redis: S;
  /** A plain connection, to look and to write with. */
  readonly store: ReturnType<typeof connectRedis>;
  readonly shows: Shows;
  readonly inventory: Inventory;
  readonly tokens: Tokens;
  gateway(node?: string, env?: Readonly<Record<string, string>>, secret?: string): Promise<Gateway>;
  /** A new show with one product `tea` of `stock` units, which go where `returnsTo` says when they come back. @returns its id */
  show(stock?: number, returnsTo?: "drop" | "product" | "none"): Promise<string>;
  /** An open drop of `allotment` units. @returns its id */
  drop(show: string, allotment: number, more?: Partial<NewDrop>): Promise<string>;
  join(
    gateway: Gateway,
    show: string,
    viewerId: string,
    more?: Partial<ConnectOptions> & { role?: Role },
  ): Promise<Live>;
  stop(): Promise<void>;
}

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
};

/** Its Redis, once restarted, is back for the test itself too, whose own connection sends nothing while it is broken. */
export async function startWorld(): Promise<World> {
  const redis = await startThrowawayRedis();
  const restart = redis.restart.bind(redis);
  const world = await startWorldOn(redis);
  const answers = (): Promise<boolean> =>
    world.store.ping().then(
      () => true,
      () => false,
    );
  redis.restart = async () => {
    await restart();
    await until(answers, 10_000);
  };
  return world;
}

/** Stops the given Redis with the world. */
export async function startWorldOn<S extends Store>(redis: S): Promise<World<S>> {
  const store = connectRedis(redis.url, "command");
  await whenReady(store);
  const log = pino({ level: "silent" });
  const dataDir = mkdtempSync(join(tmpdir(), "dropcast-world-"));
  const shows = createShows(store);
  const inventory = createInventory(store);
  const tokens = createTokens(SECRET);
  const lives = new Set<Live>();
  const gateways = new Set<Running>();
  let made = 0;

  return {
    redis,
    store,
    shows,
    inventory,
    tokens,
    async gateway(node = `gw-${++made}`, env = {}, secret = SECRET) {
      const rtPort = await freePort();
      const config = readConfig({
        RT_PORT: String(rtPort),
        HOST: "127.0.0.1",
        DRAIN_MS: "200",
        TICK_MS: "50",
        DATA_DIR: dataDir,
        ...env,
      });
      const running = createRunning(5000, () => undefined);
      gateways.add(running);
      await startGateway({
        config: {
          ...config,
          adminKey: ADMIN_KEY,
          tokenSecret: secret,
          redisUrl: redis.url,
          nodeId: node,
        },
        log,
        running,
      });
      return {
        url: `ws://127.0.0.1:${rtPort}`,
        node,
        tokens: createTokens(secret),
        stop: () => running.stop(),
      };
    },
    async show(stock = 1000, returnsTo = "product") {
      const show = `show${++made}`;
      await shows.create(show, { title: "茶", currency: "CNY" });
      const product = {
        sku: "tea",
        title: "白茶",
        priceCents: 9900,
        stock,
        imageUrl: "",
        category: "",
      };
      // The policy for returns is kept with the product, and not on the wire.
      await shows.addProduct(show, Object.assign(product, { restock: returnsTo }));
      return show;
    },
    async drop(show, allotment, more = {}) {
      const dropId = `drop${++made}`;
      const drop = {
        dropId,
        sku: "tea",
        priceCents: 4900,
        allotment,
        perBuyerLimit: 1,
        holdMs: 60_000,
        startsAtMs: 0,
        endsAtMs: Date.now() + 600_000,
        ...more,
      };
      const [word] = await inventory.allot(show, drop);
      if (word !== "allotted") throw new Error(word);
      return drop.dropId;
    },
    async join(gateway, show, viewerId, { role = "viewer", ...more } = {}) {
      const token = await tokens.sign({ show, viewerId, role, name: viewerId });
      const live = await connect({ url: gateway.url, show, token, ...more });
      lives.add(live);
      return live;
    },
    async stop() {
      for (const live of lives) live.close();
      await Promise.all([...gateways].map((running) => running.stop()));
      store.disconnect();
      await redis.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Waits until `look` gives something other than undefined or false. @throws after `maxMs`, with what it last said */
export async function until<T>(look: () => T | Promise<T>, maxMs = 5000): Promise<NonNullable<T>> {
  const giveUpAtMs = performance.now() + maxMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== null && seen !== false) return seen;
    if (performance.now() > giveUpAtMs) throw new Error(`not within ${maxMs} ms: ${String(look)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

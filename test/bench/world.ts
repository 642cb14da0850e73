/**
 * A small Dropcast for benches: a private Redis on disk (fsync always, as in production), a gateway in its own process, shows
 * and drops made by the same scripts as in production, join tokens signed here.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import nodeProcess from "node:process";
import type { Redis } from "ioredis";
import { startSwarm, type Swarm, type SwarmOptions } from "../../load/swarm/swarm.ts";
import { connectRedis, whenReady } from "../../server/redis/connect.ts";
import { type RedisProcess, startRedisProcess } from "../../server/redis/process.ts";
import { createShows, type Shows } from "../../server/room/shows.ts";
import { createInventory, type Inventory } from "../../server/shop/inventory.ts";
import { freePort } from "../../load/free-port.ts";
import { EXEC_ARGS } from "../../server/supervisor/role-process.ts";
import { createTokens, type Tokens } from "../../server/tokens.ts";
import type { BenchRun } from "./bench.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

const SECRET = "a secret of the benches, for no one else";

export interface Store {
  readonly process: RedisProcess;
  readonly redis: Redis;
  readonly shows: Shows;
  readonly inventory: Inventory;
  readonly stop: () => Promise<void>;
}

export async function startStore(): Promise<Store> {
  const dir = mkdtempSync(join(tmpdir(), "dropcast-bench-"));
  const process = await startRedisProcess({ dir });
  // Also when the bench is interrupted; Redis itself ends with its parent.
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  nodeProcess.once("exit", remove);
  const redis = connectRedis(process.url, "command");
  await whenReady(redis);
  return {
    process,
    redis,
    shows: createShows(redis),
    inventory: createInventory(redis),
    async stop() {
      redis.disconnect();
      await process.stop();
      remove();
      nodeProcess.off("exit", remove);
    },
  };
}

/** @param settings that differ from those of a bench */
export async function startGatewayOn(
  store: Store,
  settings: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const port = await freePort();
  const env = {
    REDIS_URL: store.process.url,
    TOKEN_SECRET: SECRET,
    HOST: "127.0.0.1",
    RT_PORT: String(port),
    LOG_LEVEL: "error",
    DRAIN_MS: "0",
    NEWCOMERS_PER_SECOND: "1000000",
    NODE_ID: `bench-${port}`,
    ...settings,
  };
  return startServer("gateway-server.ts", env, EXEC_ARGS.gateway);
}

const tokens: Tokens = createTokens(SECRET);

/** The join token of a swarm's viewer. */
export const viewerToken =
  (show: string) =>
  (index: number): Promise<string> =>
    tokens.sign({ show, viewerId: `v${index}`, role: "viewer", name: `Viewer ${index}` });

/** Waits for all of them. @throws when one is not in: figures of a part of the crowd would mislead */
export async function allIn(swarm: Swarm, viewers: number): Promise<void> {
  const arrived = await swarm.joined;
  if (arrived === viewers) return;
  const { closes } = await swarm.figures();
  throw new Error(
    `only ${arrived} of ${viewers} viewers got in; close codes ${JSON.stringify(closes)}`,
  );
}

const JOINS_PER_SECOND = 2500;

/** A swarm that only counts what it hears, all of it in. */
export async function joined(run: BenchRun, options: SwarmOptions): Promise<Swarm> {
  const swarm = await startSwarm({
    joinsPerSecond: JOINS_PER_SECOND,
    countsOnly: true,
    ...options,
  });
  run.owns(swarm.close);
  await allIn(swarm, options.viewers);
  return swarm;
}

/** A live show on a gateway of its own, with everybody in. */
export async function watched(
  run: BenchRun,
  { show, ...options }: Partial<SwarmOptions> & Pick<SwarmOptions, "show" | "viewers">,
): Promise<{ readonly store: Store; readonly server: ServerProcess; readonly swarm: Swarm }> {
  const store = await startStore();
  run.owns(store.stop);
  await openShow(store, show);
  const server = await startGatewayOn(store);
  run.owns(server.stop);
  const url = `ws://127.0.0.1:${server.port}`;
  const swarm = await joined(run, { url, show, token: viewerToken(show), ...options });
  return { store, server, swarm };
}

/** A live show with one product. */
export async function openShow({ shows }: Store, show: string, stock = 10_000_000): Promise<void> {
  await shows.create(show, { title: "A bench", currency: "CNY" });
  await shows.addProduct(show, {
    sku: "tea",
    title: "Tea",
    priceCents: 9900,
    stock,
    imageUrl: "",
    category: "",
  });
  await shows.turn(show, "live");
}

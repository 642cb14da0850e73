/**
 * The whole server as real processes on a Redis of the test's own, with a crowd in one show: what fault runs break. Redis is reached
 * through a `Wire`, so that the network between can be broken too.
 */
import { startSwarm, type Swarm } from "../../load/swarm/swarm.ts";
import { whenReady } from "../../server/redis/connect.ts";
import { type BackEnd, backEndOf } from "./back-end.ts";
import { type Buyer, buyerOf } from "./buyers.ts";
import { type Evidence, expectInvariants } from "./invariants.ts";
import { isCounted, startTcpRedis, type TcpRedis } from "./redis-servers.ts";
import { freePort, until } from "./rooms.ts";
import { spawnServer, type StartedProcess, startServer, type WholeServer } from "./server.ts";
import { startWire, type Wire } from "./wire.ts";

type Env = Readonly<Record<string, string>>;

export interface Fleet {
  readonly server: WholeServer;
  readonly shop: BackEnd;
  readonly redis: TcpRedis;
  /** Between every process and the primary. */
  readonly wire: Wire;
  /** With its own wire to the primary, where one was asked for. */
  readonly replica: { readonly redis: TcpRedis; readonly wire: Wire } | undefined;
  /** One more gateway, that nobody starts again. */
  gateway(env: Env): Promise<{ readonly url: string; readonly process: StartedProcess }>;
  buyer(show: string, viewerId: string, url?: string | readonly string[]): Promise<Buyer>;
  buyers(show: string, count: number): Promise<readonly Buyer[]>;
  /** In a process of its own, talking and tapping. */
  crowd(show: string, viewers: number): Promise<Swarm>;
  /** The closing check, after the crowd has fallen silent. */
  check(
    show: string,
    more: Omit<Evidence, "show" | "crowd" | "store"> & { crowd?: Swarm; store?: Evidence["store"] },
  ): Promise<void>;
  stop(): Promise<void>;
}

const DURABLE = { appendonly: "yes", appendfsync: "always" } as const;

interface FleetOptions {
  /** Of the server. */
  readonly env?: Env;
  readonly redisEnv?: Env;
  /** A primary with a replica. Default: one Redis. */
  readonly hasReplica?: boolean;
}

export async function startFleet(options: FleetOptions = {}): Promise<Fleet> {
  const { env = {}, redisEnv = {}, hasReplica = false } = options;
  const redis = await startTcpRedis(DURABLE, redisEnv);
  const wire = await startWire(redis.port);
  const replica = hasReplica ? await replicaOf(redis) : undefined;
  const url =
    replica === undefined
      ? `redis://${wire.address}`
      : `redis+failover://${wire.address},${replica.redis.address}`;
  const common = { REDIS_URL: url, MEDIA_WORKERS: "0", PAY_SANDBOX_DELAY_MS: "100", ...env };
  const server = await startServer({ env: { GATEWAYS: "2", ...common } });
  const shop = backEndOf(server);
  const more: StartedProcess[] = [];
  const swarms: Swarm[] = [];
  const fleet: Fleet = {
    server,
    shop,
    redis,
    wire,
    replica,
    async gateway(own) {
      const port = await freePort();
      const process = spawnServer({
        command: "gateway",
        env: { ...common, RT_PORT: String(port), ADMIN_KEY: server.adminKey, ...own },
      });
      more.push(process);
      await process.printed(/ready/, 30_000);
      return { url: `ws://127.0.0.1:${port}`, process };
    },
    buyer: async (show, viewerId, at = server.wsUrl) =>
      buyerOf(await shop.join(show, viewerId, { url: at }), viewerId),
    buyers: (show, count) =>
      Promise.all(Array.from({ length: count }, (_, i) => fleet.buyer(show, `b${i}`))),
    async crowd(show, viewers) {
      const swarm = await startSwarm({
        url: server.wsUrl,
        show,
        viewers,
        processes: 1,
        token: (index) => shop.token(show, `crowd${index}`),
      });
      swarms.push(swarm);
      await swarm.joined;
      await swarm.talk({ commentsPerSecond: 20, likesPerSecond: 40 });
      return swarm;
    },
    async check(show, { crowd, ...evidence }) {
      await crowd?.talk({ commentsPerSecond: 0, likesPerSecond: 0 });
      if (crowd !== undefined)
        await until(
          async () => (await crowd.histories()).every(({ likes }) => likes.sent === likes.applied),
          15_000,
        );
      const histories = (await crowd?.histories()) ?? [];
      const { store = redis.admin } = evidence;
      await whenReady(store);
      await expectInvariants({ show, crowd: histories, api: server, ...evidence, store });
    },
    async stop() {
      shop.close();
      await Promise.all(swarms.map((swarm) => swarm.close()));
      await Promise.all(more.map((process) => process.stop()));
      await server.stop();
      await Promise.all([wire.stop(), replica?.wire.stop()]);
      await Promise.all([redis.stop(), replica?.redis.stop()]);
    },
  };
  return fleet;
}

async function replicaOf(primary: TcpRedis): Promise<NonNullable<Fleet["replica"]>> {
  const wire = await startWire(primary.port);
  const redis = await startTcpRedis({ ...DURABLE, replicaof: `127.0.0.1 ${wire.port}` });
  await until(() => isCounted(primary, redis));
  return { redis, wire };
}

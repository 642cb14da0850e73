/** Real redis-servers on loopback ports, for tests of replicas and of a Cluster. Data in a folder of its own, gone at the end. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { connectRedis, whenReady } from "../../server/redis/connect.ts";
import { freePort, type Store, until } from "./rooms.ts";

export interface TcpRedis {
  readonly port: number;
  readonly address: string;
  /** A connection to look and to steer with; reconnects by itself. */
  readonly admin: ReturnType<typeof connectRedis>;
  /** Sends a signal and, if it ends the process, waits for the end. */
  kill(signal: NodeJS.Signals): Promise<void>;
  stop(): Promise<void>;
}

/** @param settings without the leading dashes @param env on top of ours */
export async function startTcpRedis(
  settings: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<TcpRedis> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), "dropcast-redis-"));
  const all = {
    port: String(port),
    bind: "127.0.0.1",
    dir,
    save: "",
    appendonly: "no",
    // Replicas find their data again at once after a lost connection.
    "repl-diskless-sync-delay": "0",
    "repl-ping-replica-period": "1",
    ...settings,
  };
  const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
  const child: ChildProcess = spawn("redis-server", args, {
    stdio: "ignore",
    env: { ...process.env, ...env },
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const admin = connectRedis(`redis://127.0.0.1:${port}`, "command");
  await whenReady(admin, 10_000);
  return {
    port,
    address: `127.0.0.1:${port}`,
    admin,
    async kill(signal) {
      child.kill(signal);
      if (signal !== "SIGSTOP" && signal !== "SIGCONT") await ended;
    },
    async stop() {
      admin.disconnect();
      child.kill("SIGKILL");
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export interface Replicated extends Store {
  readonly primary: TcpRedis;
  readonly replicas: readonly TcpRedis[];
  /** From now on the replica hears nothing of the primary, and both live on. */
  partition(replica: TcpRedis): Promise<void>;
  /** Connects it again, from where it was. */
  reunite(replica: TcpRedis): Promise<void>;
  /** Makes it the primary, and every other replica its replica. */
  promote(replica: TcpRedis): Promise<void>;
}

/** A primary waits for a replica only once it has heard its first acknowledgement, up to a second after the link is up. */
export const isCounted = async (by: TcpRedis, { port }: TcpRedis): Promise<boolean> =>
  new RegExp(`port=${port},state=online,offset=[1-9]`).test(await by.admin.info("replication"));

const follow = async (replica: TcpRedis, of: TcpRedis): Promise<void> => {
  await replica.admin.replicaof("127.0.0.1", of.port);
  await until(() => isCounted(of, replica));
};

/** A primary with replicas, under a `redis+failover://` address. */
export async function startReplicated(count: number): Promise<Replicated> {
  const primary = await startTcpRedis();
  const replicas = await Promise.all(
    Array.from({ length: count }, () => startTcpRedis({ replicaof: `127.0.0.1 ${primary.port}` })),
  );
  await Promise.all(replicas.map((replica) => until(() => isCounted(primary, replica))));
  return {
    url: `redis+failover://${[primary, ...replicas].map((server) => server.address).join(",")}`,
    primary,
    replicas,
    // A port where nobody answers.
    partition: async (replica) =>
      void (await replica.admin.replicaof("127.0.0.1", await freePort())),
    reunite: (replica) => follow(replica, primary),
    async promote(replica) {
      await replica.admin.replicaof("NO", "ONE");
      const others = replicas.filter((other) => other !== replica);
      await Promise.all(others.map((other) => follow(other, replica)));
    },
    async stop() {
      await Promise.all([primary, ...replicas].map((server) => server.stop()));
    },
  };
}

export interface RedisCluster extends Store {
  readonly nodes: readonly TcpRedis[];
}

const isWhole = async ({ admin }: TcpRedis): Promise<boolean> =>
  (await admin.cluster("INFO")).includes("cluster_state:ok");

/** Three primaries that share the slots. @param replicas of each */
export async function startCluster(replicas: 0 | 1 = 0): Promise<RedisCluster> {
  const settings = { "cluster-enabled": "yes", "cluster-node-timeout": "1000" };
  const nodes = await Promise.all(
    Array.from({ length: 3 * (1 + replicas) }, () => startTcpRedis(settings)),
  );
  const addresses = nodes.map((node) => node.address);
  await promisify(execFile)(
    "redis-cli",
    ["--cluster", "create", ...addresses, "--cluster-replicas", String(replicas), "--cluster-yes"],
    { timeout: 20_000 },
  );
  await until(async () => (await Promise.all(nodes.map(isWhole))).every(Boolean), 10_000);
  return {
    nodes,
    url: `redis+cluster://${addresses.join(",")}`,
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

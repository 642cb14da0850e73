/** Everything the operator page shows, read together: two round trips however many shows there are, 50 shows at most. */
import type { MediaLease } from "#wire";
import { type DropView, isOver } from "./drop-view.ts";
import type { Desk } from "./desk.ts";
import { type NodeReport, type Nodes, readNodes } from "./nodes.ts";
import { readDrops, readShows, type ShowFacts } from "./reading.ts";

export interface ShowSnapshot extends Omit<ShowFacts, "drops"> {
  /** Those that are not over, and the last ones that are. */
  readonly drops: readonly DropView[];
}

export interface RedisFacts {
  readonly version: string;
  readonly usedMemoryBytes: number;
  readonly appendfsync: string;
  readonly opsPerSecond: number;
  readonly clients: number;
}

export interface Snapshot extends Nodes {
  readonly atMs: number;
  readonly nodes: readonly NodeReport[];
  readonly media: readonly MediaLease[];
  readonly shows: readonly ShowSnapshot[];
  readonly redis: RedisFacts;
  readonly sweeperLagMs: number;
  /** Ledger files of this process that cannot be gone on with, and those that wait for replicas. */
  readonly ledgers: {
    readonly stuck: readonly { readonly show: string; readonly reason: string }[];
    readonly waiting: readonly string[];
  };
  readonly payments: {
    readonly inFlight: number;
    readonly paid: number;
    readonly declined: number;
    readonly refunded: number;
    readonly retries: number;
  };
}

const MAX_SHOWS = 50;
const MAX_CLOSED_DROPS = 5;

export async function takeSnapshot(desk: Desk): Promise<Snapshot> {
  const { redis, sweeper, cashier, showList, tail } = desk;
  const ids = [...showList.awake].slice(0, MAX_SHOWS);
  const [nodes, facts, drops, redisFacts] = await Promise.all([
    readNodes(redis),
    readShows(redis, ids),
    Promise.all(ids.map((show) => readDrops(redis, show))),
    readRedis(desk),
  ]);
  const shows = facts.flatMap((show, i) =>
    show === undefined ? [] : [{ ...show, drops: recent(drops[i] ?? []) }],
  );
  return {
    ...nodes,
    atMs: nodes.nowMs,
    shows: shows.sort((a, b) => b.createdAtMs - a.createdAtMs),
    redis: redisFacts,
    sweeperLagMs: sweeper.lagMs,
    ledgers: {
      stuck: [...tail.stuck].map(([show, reason]) => ({ show, reason })),
      waiting: [...tail.waiting],
    },
    payments: { inFlight: cashier.inFlight, ...cashier.done },
  };
}

function recent(drops: readonly DropView[]): DropView[] {
  const over = drops.filter((d) => isOver(d) && d.held === 0);
  return [...drops.filter((d) => !over.includes(d)), ...over.slice(0, MAX_CLOSED_DROPS)];
}

async function readRedis({ redis }: Desk): Promise<RedisFacts> {
  const info = Object.fromEntries(
    (await redis.info())
      .split("\r\n")
      .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]),
  ) as Record<string, string>;
  return {
    version: info["valkey_version"] ?? info["redis_version"] ?? "",
    usedMemoryBytes: Number(info["used_memory"] ?? 0),
    appendfsync: info["aof_enabled"] === "1" ? await fsyncOf(redis) : "off",
    opsPerSecond: Number(info["instantaneous_ops_per_sec"] ?? 0),
    clients: Number(info["connected_clients"] ?? 0),
  };
}

/** Hosted servers may forbid CONFIG: then it is unknown. */
async function fsyncOf(redis: Desk["redis"]): Promise<string> {
  try {
    const answer = await redis.config("GET", "appendfsync");
    return answer[1] ?? "unknown";
  } catch (error) {
    if (redis.status !== "ready") throw error;
    return "unknown";
  }
}

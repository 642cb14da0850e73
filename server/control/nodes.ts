/**
 * The processes of this Dropcast as they report themselves, each second, in Redis. A report older than 5 s by Redis TIME is
 * a process that is gone. Reports are other processes' word: only what has the right type is passed on.
 */
import type { Redis } from "ioredis";
import type { MediaLease } from "#wire";
import { MEDIA_KEY, NODES_KEY } from "../redis/keys.ts";
import { nowOf } from "./reading.ts";

export interface NodeReport {
  readonly node: string;
  readonly role: string;
  readonly pid: number;
  /** Redis TIME of the report. */
  readonly atMs: number;
  /** Figures by name, with the unit in the name; a process may report any. */
  readonly figures: Readonly<Record<string, number>>;
}

export interface Nodes {
  readonly nowMs: number;
  readonly nodes: readonly NodeReport[];
  readonly media: readonly MediaLease[];
}

const FRESH_MS = 5000;
const FORGOTTEN_MS = 60_000;

export async function readNodes(redis: Redis): Promise<Nodes> {
  const [nowMs, reports, leases] = await Promise.all([
    nowOf(redis),
    redis.hvals(NODES_KEY),
    redis.hvals(MEDIA_KEY),
  ]);
  return {
    nowMs,
    nodes: reports
      .map(readReport)
      .filter((report) => report.atMs > nowMs - FRESH_MS)
      .sort((a, b) => (a.node < b.node ? -1 : 1)),
    media: leases
      .map((json) => JSON.parse(json) as MediaLease)
      .filter((lease) => lease.untilMs > nowMs),
  };
}

function readReport(json: string): NodeReport {
  const { node, role, pid, atMs, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const figures: Record<string, number> = {};
  for (const [name, value] of Object.entries(rest))
    if (typeof value === "number" && Number.isFinite(value)) figures[name] = value;
  return { node: String(node), role: String(role), pid: Number(pid), atMs: Number(atMs), figures };
}

/** Takes reports of processes that are long gone out of Redis. */
export async function forgetNodes(redis: Redis, nowMs: number): Promise<void> {
  const gone: string[] = [];
  for (const [node, json] of Object.entries(await redis.hgetall(NODES_KEY)))
    if (readReport(json).atMs < nowMs - FORGOTTEN_MS) gone.push(node);
  if (gone.length > 0) await redis.hdel(NODES_KEY, ...gone);
}

export const gatewaysOf = ({ nodes }: Nodes): readonly NodeReport[] =>
  nodes.filter(({ role }) => role === "gateway");

/**
 * `GET /v1/ops` once a second, and the last 15 minutes of what it said. Fields that a server does not report are missing, not
 * zero: charts show a gap there.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import { ApiRefusal, ask, ServerAway } from "../shared/http.ts";

export interface Words {
  readonly en: string;
  readonly zh: string;
}

export type Level = "ok" | "warn" | "stop";

export interface NodeReport {
  readonly node: string;
  readonly role: string;
  readonly pid: number;
  readonly atMs: number;
  readonly figures: Readonly<Record<string, number>>;
}

export interface DropBooks {
  readonly dropId: string;
  readonly sku: string;
  readonly title: string;
  readonly state: "announced" | "open" | "soldOut" | "closed" | "voided";
  readonly allotment: number;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
}

export interface ShowReport {
  readonly id: string;
  readonly title: string;
  readonly state: "scheduled" | "live" | "ended";
  readonly viewers: number;
  readonly peakViewers: number;
  readonly likes: number;
  readonly comments: number;
  readonly orders: number;
  /** Holds with something odd about them. */
  readonly flagged?: number;
  readonly drops: readonly DropBooks[];
}

export interface MediaReport {
  readonly node: string;
  readonly sessions: number;
  readonly workers: readonly {
    readonly pid: number;
    readonly cpu: number;
    readonly consumers: number;
  }[];
}

export interface Ops {
  readonly atMs: number;
  readonly level: Level;
  readonly sentence: Words;
  readonly remedy?: Words;
  readonly findings?: readonly {
    readonly level: Level;
    readonly sentence: Words;
    readonly remedy: Words;
  }[];
  readonly nodes: readonly NodeReport[];
  readonly media: readonly MediaReport[];
  readonly shows: readonly ShowReport[];
  readonly redis?: Readonly<Record<"usedMemoryBytes" | "opsPerSecond" | "clients", number>> &
    Readonly<Record<"version" | "appendfsync", string>>;
  readonly sweeperLagMs?: number;
  readonly payments?: Readonly<Record<"inFlight" | "paid" | "declined" | "refunded", number>>;
}

/** One second, as the charts draw it. */
export interface Sample {
  readonly atS: number;
  readonly viewers: number;
  readonly holdsPerSecond: number | null;
  readonly holdP99Ms: number | null;
  readonly fanoutP50Ms: number | null;
  readonly fanoutP99Ms: number | null;
  readonly gatewayCpu: number | null;
  readonly mediaCpu: number | null;
  readonly controlCpu: number | null;
}

export type Link = "opening" | "live" | "away" | "refused";

export interface OpsFeed {
  readonly now: ReadonlySignal<Ops | undefined>;
  readonly samples: ReadonlySignal<readonly Sample[]>;
  readonly link: ReadonlySignal<Link>;
  /** Why the key was refused. */
  readonly refusal: ReadonlySignal<string>;
  readonly stop: () => void;
}

const EVERY_MS = 1000;
const KEPT_SAMPLES = 900;

export function followOps(key: string): OpsFeed {
  const now = signal<Ops | undefined>(undefined);
  const samples = signal<readonly Sample[]>([]);
  const link = signal<Link>("opening");
  const refusal = signal("");
  let holdsBefore:
    | { readonly atMs: number; readonly asked: ReadonlyMap<string, number> }
    | undefined;
  let isStopped = false;

  const read = async (): Promise<void> => {
    try {
      const ops = await ask<Ops>("/v1/ops", { bearer: key });
      if (isStopped) return;
      const asked = new Map(
        ops.nodes.map(({ node, figures }) => [node, figures["holdsAsked"] ?? 0]),
      );
      const sample = sampleOf(ops, holdsPerSecond(holdsBefore, { atMs: ops.atMs, asked }));
      holdsBefore = { atMs: ops.atMs, asked };
      now.value = ops;
      samples.value = [...samples.value, sample].slice(-KEPT_SAMPLES);
      link.value = "live";
    } catch (fault) {
      if (fault instanceof ApiRefusal && (fault.status === 401 || fault.status === 403)) {
        refusal.value = fault.words;
        link.value = "refused";
        return;
      }
      if (!(fault instanceof ServerAway || fault instanceof ApiRefusal)) throw fault;
      link.value = "away";
    }
    if (!isStopped) setTimeout(() => void read(), EVERY_MS);
  };
  void read();
  return {
    now,
    samples,
    link,
    refusal,
    stop: () => {
      isStopped = true;
    },
  };
}

type HoldCounts = { readonly atMs: number; readonly asked: ReadonlyMap<string, number> };

/** Summed over the nodes that were there both times: a restarted one starts from zero and would count backwards. */
function holdsPerSecond(before: HoldCounts | undefined, now: HoldCounts): number | null {
  if (before === undefined || now.atMs <= before.atMs) return null;
  let more = 0;
  for (const [node, asked] of now.asked)
    more += Math.max(0, asked - (before.asked.get(node) ?? asked));
  return (more * 1000) / (now.atMs - before.atMs);
}

function sampleOf(ops: Ops, perSecond: number | null): Sample {
  const gateways = ops.nodes.filter((node) => node.role === "gateway");
  const workers = ops.media.flatMap((media) => media.workers);
  return {
    atS: ops.atMs / 1000,
    viewers: ops.shows.reduce((sum, show) => sum + show.viewers, 0),
    holdsPerSecond: perSecond,
    holdP99Ms: worst(gateways, "holdP99Ms"),
    fanoutP50Ms: worst(gateways, "fanoutP50Ms"),
    fanoutP99Ms: worst(gateways, "fanoutP99Ms"),
    gatewayCpu: worst(gateways, "cpu"),
    mediaCpu: workers.length === 0 ? null : Math.max(...workers.map((worker) => worker.cpu)),
    controlCpu: worst(
      ops.nodes.filter((node) => node.role === "control"),
      "cpu",
    ),
  };
}

function worst(nodes: readonly NodeReport[], figure: string): number | null {
  const values = nodes.map(({ figures }) => figures[figure]).filter((value) => value !== undefined);
  return values.length === 0 ? null : Math.max(...values);
}

/**
 * `/metrics` for Prometheus: this process, what every other process reports, and the books of every running drop. Figures
 * of a report become `dropcast_node_<name>{node,role}`; nothing is collected between scrapes.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { isOutage } from "../redis/outage.ts";
import type { App, Desk } from "./desk.ts";
import { DropView } from "./drop-view.ts";
import { gatewaysOf } from "./nodes.ts";
import { type Snapshot, takeSnapshot } from "./snapshot.ts";

const BOOKS = [
  "allotted",
  "restocked",
  "available",
  "held",
  "sold",
  "writtenOff",
] as const satisfies (keyof DropView)[];
const DROP_STATES = DropView.shape.state.options;

export function metricRoutes(app: App, desk: Desk): void {
  const own = new Registry();
  collectDefaultMetrics({ register: own, prefix: "dropcast_" });
  measureRequests(app, own);
  app.get(
    "/metrics",
    { schema: { tags: ["operator"], summary: "Figures for Prometheus", produces: ["text/plain"] } },
    async (_request, reply) => {
      const shared = await scrape(desk);
      return reply.type(own.contentType).send(`${await own.metrics()}\n${await shared.metrics()}`);
    },
  );
}

function measureRequests(app: App, registry: Registry): void {
  const registers = [registry];
  const labelNames = ["method", "route", "status"];
  const requests = new Counter({
    name: "dropcast_http_requests_total",
    help: "Requests answered",
    labelNames,
    registers,
  });
  const seconds = new Histogram({
    name: "dropcast_http_request_seconds",
    help: "Time to answer",
    labelNames: ["route"],
    buckets: [0.002, 0.005, 0.01, 0.05, 0.2, 1, 5],
    registers,
  });
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "none";
    requests.inc({ method: request.method, route, status: String(reply.statusCode) });
    seconds.observe({ route }, reply.elapsedTime / 1000);
  });
}

/** A registry for one scrape, so that what is gone leaves no stale line behind. */
async function scrape(desk: Desk): Promise<Registry> {
  const registry = new Registry();
  const up = gauge(registry, "dropcast_redis_up", "1 while Redis answers");
  try {
    const snapshot = await takeSnapshot(desk);
    up.set(1);
    addShows(registry, snapshot);
    addNodes(registry, snapshot);
    addStore(registry, snapshot);
  } catch (fault) {
    if (!isOutage(fault)) throw fault;
    up.set(0);
  }
  return registry;
}

const gauge = (
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[] = [],
): Gauge => new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] });

function addShows(registry: Registry, { shows }: Snapshot): void {
  const viewers = gauge(registry, "dropcast_show_viewers", "Viewers in the room", ["show"]);
  const likes = gauge(registry, "dropcast_show_likes", "Likes", ["show"]);
  const shares = gauge(registry, "dropcast_show_shares", "Shares", ["show"]);
  const comments = gauge(registry, "dropcast_show_comments", "Comments accepted", ["show"]);
  const orders = gauge(registry, "dropcast_show_orders", "Orders", ["show"]);
  const flagged = gauge(registry, "dropcast_show_flagged_holds", "Holds with odd circumstances", [
    "show",
  ]);
  const units = gauge(registry, "dropcast_drop_units", "A drop's books", ["show", "drop", "book"]);
  const state = gauge(registry, "dropcast_drop_state", "1 for the state a drop is in", [
    "show",
    "drop",
    "state",
  ]);
  for (const facts of shows) {
    const show = facts.id;
    viewers.set({ show }, facts.viewers);
    likes.set({ show }, facts.likes);
    shares.set({ show }, facts.shares);
    comments.set({ show }, facts.comments);
    orders.set({ show }, facts.orders);
    flagged.set({ show }, facts.flagged);
    for (const drop of facts.drops) {
      for (const book of BOOKS)
        units.set({ show, drop: drop.dropId, book: snake(book) }, drop[book]);
      for (const one of DROP_STATES)
        state.set({ show, drop: drop.dropId, state: snake(one) }, one === drop.state ? 1 : 0);
    }
  }
}

function addNodes(registry: Registry, snapshot: Snapshot): void {
  const { nodes, media } = snapshot;
  gauge(
    registry,
    "dropcast_connections_spread",
    "Sockets of the fullest gateway over those of the mean one; 1: even",
  ).set(spreadOf(gatewaysOf(snapshot).map(({ figures }) => figures["connections"] ?? 0)));
  const gauges = new Map<string, Gauge>();
  for (const { node, role, figures } of nodes)
    for (const [figure, value] of Object.entries(figures)) {
      const name = `dropcast_node_${snake(figure)}`;
      if (!/^[a-z0-9_]+$/.test(name)) continue;
      const one =
        gauges.get(name) ??
        gauge(registry, name, `${figure} as each process reports it`, ["node", "role"]);
      gauges.set(name, one);
      one.set({ node, role }, value);
    }
  const sessions = gauge(registry, "dropcast_media_sessions", "Media sessions", ["node"]);
  const cpu = gauge(
    registry,
    "dropcast_media_worker_cpu",
    "Share of a core that a media worker uses",
    ["node", "pid"],
  );
  const consumers = gauge(registry, "dropcast_media_worker_consumers", "Streams sent to viewers", [
    "node",
    "pid",
  ]);
  for (const { node, sessions: count, workers } of media) {
    sessions.set({ node }, count);
    for (const worker of workers) {
      const labels = { node, pid: String(worker.pid) };
      cpu.set(labels, worker.cpu);
      consumers.set(labels, worker.consumers);
    }
  }
}

const spreadOf = (counts: readonly number[]): number => {
  const sum = counts.reduce((a, b) => a + b, 0);
  return sum === 0 ? 1 : (Math.max(...counts) * counts.length) / sum;
};

function addStore(registry: Registry, { redis, sweeperLagMs, payments }: Snapshot): void {
  gauge(registry, "dropcast_redis_memory_bytes", "Memory that Redis uses").set(
    redis.usedMemoryBytes,
  );
  gauge(registry, "dropcast_redis_ops_per_second", "Commands per second").set(redis.opsPerSecond);
  gauge(registry, "dropcast_redis_clients", "Connections to Redis").set(redis.clients);
  gauge(registry, "dropcast_sweeper_lag_seconds", "Longest time between two sweeps").set(
    sweeperLagMs / 1000,
  );
  const paid = gauge(
    registry,
    "dropcast_payments",
    "Payments by outcome, since this process started",
    ["outcome"],
  );
  for (const [outcome, count] of Object.entries(payments))
    paid.set({ outcome: snake(outcome) }, count);
}

/** holdP99Ms → hold_p99_ms */
const snake = (name: string): string =>
  name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();

/** Every process that reports, and the media workers with what they send. */
import type { JSX } from "preact";
import { bytes, count, duration, percent } from "../shared/figures.ts";
import type { NodeReport, Ops } from "./ops.ts";
import { type Column, Table } from "./table.tsx";
import { say } from "./words.ts";

const shown = (value: number | undefined, format: (n: number) => string): string =>
  value === undefined ? "–" : format(value);

const figure = (
  name: string,
  head: string,
  metric: string,
  format: (n: number) => string,
): Column<NodeReport> => ({
  head,
  metric,
  cell: ({ figures }) => shown(figures[name], format),
});

export function NodesTable(props: { ops: Ops }): JSX.Element {
  const { ops } = props;
  const connections = ops.nodes.reduce(
    (sum, { figures }) => sum + (figures["connections"] ?? 0),
    0,
  );
  /** With its share of all: whether gateways that share a port share the viewers, too. */
  const shared = (n: number): string =>
    connections === 0 ? count(n) : `${count(n)} · ${percent(n / connections, 0)}`;
  return (
    <Table
      title={say("nodes")}
      rows={ops.nodes}
      keyOf={({ node }) => node}
      empty={say("noData")}
      columns={[
        { head: say("node"), metric: "", cell: ({ node }) => node },
        { head: say("role"), metric: "", cell: ({ role }) => role },
        figure("viewers", say("viewers"), "dropcast_node_viewers", count),
        figure("connections", say("connections"), "dropcast_node_connections", shared),
        figure("cpu", say("cpu"), "dropcast_node_cpu", (n) => percent(n, 0)),
        figure("rssBytes", say("memory"), "dropcast_node_rss_bytes", bytes),
        figure("holdP99Ms", `${say("holds")} p99`, "dropcast_node_hold_p99_ms", duration),
        figure("fanoutP99Ms", `${say("fanout")} p99`, "dropcast_node_fanout_p99_ms", duration),
        figure("loopDelayP99Ms", `${say("loop")} p99`, "dropcast_node_loop_delay_p99_ms", duration),
        {
          head: say("age"),
          metric: "atMs",
          cell: ({ atMs }) => say("ago", { n: Math.max(0, Math.round((ops.atMs - atMs) / 1000)) }),
        },
      ]}
    />
  );
}

export function MediaTable(props: { ops: Ops }): JSX.Element {
  const workers = props.ops.media.flatMap(({ node, workers: all }) =>
    all.map((worker) => ({ node, ...worker })),
  );
  return (
    <Table
      title={say("workers")}
      rows={workers}
      keyOf={({ node, pid }) => `${node}/${pid}`}
      empty={say("noData")}
      columns={[
        { head: say("node"), metric: "", cell: ({ node }) => node },
        { head: "pid", metric: "", cell: ({ pid }) => pid },
        {
          head: say("cpu"),
          metric: "dropcast_media_worker_cpu",
          cell: ({ cpu }) => percent(cpu, 0),
        },
        {
          head: say("consumers"),
          metric: "dropcast_media_worker_consumers",
          cell: ({ consumers }) => count(consumers),
        },
      ]}
    />
  );
}

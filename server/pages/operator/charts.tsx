/** Viewers, holds, fan-out, CPU: once a second, the last 15 minutes. */
import type { JSX } from "preact";
import { count, duration, percent } from "../shared/figures.ts";
import { Chart, type Line } from "./chart.tsx";
import type { OpsFeed, Sample } from "./ops.ts";
import { say } from "./words.ts";

const cpu = (share: number): string => percent(share, 0);

export function Charts(props: { feed: OpsFeed }): JSX.Element {
  const samples = props.feed.samples.value;
  const atS = samples.map((sample) => sample.atS);
  const shows = props.feed.now.value?.shows ?? [];
  const marksAtS = shows.flatMap((show) => show.drops.map((drop) => drop.startsAtMs / 1000));
  const line = (
    of: keyof Sample,
    label: string,
    metric: string,
    look: Pick<Line, "colour" | "format" | "least" | "isRight" | "isFilled">,
  ): Line => ({ label, metric, values: samples.map((sample) => sample[of]), ...look });
  const chart = (title: string, lines: readonly Line[]): JSX.Element => (
    <Chart title={title} atS={atS} lines={lines} marksAtS={marksAtS} />
  );
  return (
    <div class="charts">
      {chart(say("viewers"), [
        line("viewers", say("viewers"), "dropcast_show_viewers", {
          colour: "--chart-1",
          format: count,
          least: 4,
          isFilled: true,
        }),
      ])}
      {chart(say("holds"), [
        line("holdsPerSecond", say("holdsPerSecond"), "rate(dropcast_node_holds_asked)", {
          colour: "--chart-2",
          format: (n) => count(Math.round(n)),
          least: 4,
          isFilled: true,
        }),
        line("holdP99Ms", "p99", "dropcast_node_hold_p99_ms", {
          colour: "--chart-3",
          format: duration,
          least: 10,
          isRight: true,
        }),
      ])}
      {chart(say("fanout"), [
        line("fanoutP50Ms", "p50", "dropcast_node_fanout_p50_ms", {
          colour: "--chart-1",
          format: duration,
          least: 10,
          isFilled: true,
        }),
        line("fanoutP99Ms", "p99", "dropcast_node_fanout_p99_ms", {
          colour: "--chart-3",
          format: duration,
          least: 10,
        }),
      ])}
      {chart(say("cpu"), [
        line("gatewayCpu", say("gateways"), "dropcast_node_cpu", {
          colour: "--chart-1",
          format: cpu,
          least: 0.2,
        }),
        line("mediaCpu", say("media"), "dropcast_media_worker_cpu", {
          colour: "--chart-2",
          format: cpu,
          least: 0.2,
        }),
        line("controlCpu", say("control"), "dropcast_node_cpu", {
          colour: "--chart-3",
          format: cpu,
          least: 0.2,
        }),
      ])}
    </div>
  );
}

/** One uPlot chart of the last 15 minutes. All charts of the page share one cursor; drops' starts are vertical marks. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { timeOfDay } from "../shared/figures.ts";

export interface Line {
  readonly label: string;
  /** Name of the metric at /metrics. */
  readonly metric: string;
  /** A CSS variable. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
  readonly format: (value: number) => string;
  /** The axis reaches at least this far, so that rest looks like rest. */
  readonly least: number;
  /** Its own axis on the right. */
  readonly isRight?: boolean;
  readonly isFilled?: boolean;
}

const WINDOW_S = 900;
const HEIGHT_PX = 168;
const CURSOR = uPlot.sync("ops");

export function Chart(props: {
  title: string;
  atS: readonly number[];
  lines: readonly Line[];
  /** Server times of vertical marks, s. */
  marksAtS: readonly number[];
}): JSX.Element {
  const { title, atS, lines, marksAtS } = props;
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const marks = useRef(marksAtS);
  marks.current = marksAtS;
  const shape = lines.map(({ label, isRight }) => `${label}${isRight === true}`).join();

  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const made = new uPlot(
      options(lines, element.clientWidth, () => marks.current),
      [[]],
      element,
    );
    chart.current = made;
    const watch = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: HEIGHT_PX }),
    );
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
      chart.current = undefined;
    };
    // Lines are new objects each second; only their names and axes decide the chart's build.
  }, [shape]);

  useEffect(() => {
    chart.current?.setData([[...atS], ...lines.map(({ values }) => [...values])]);
  });
  return (
    <section class="panel chart">
      <div class="panel-head">
        <h2>{title}</h2>
        {lines.map(({ label, metric, colour, values, format }) => {
          const last = values.findLast((value) => value !== null);
          return (
            <span class="chart-now" title={metric} key={label}>
              <i style={{ background: `var(${colour})` }} />
              {label} <b>{last === undefined || last === null ? "–" : format(last)}</b>
            </span>
          );
        })}
      </div>
      <div ref={place} class="chart-place" style={{ height: `${HEIGHT_PX}px` }} />
    </section>
  );
}

const cssColour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name);

/** `light-dark()` is resolved by the browser only where it is used: through an element's colour. */
function inked(name: string): string {
  const probe = document.createElement("i");
  probe.style.color = cssColour(name);
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function options(
  lines: readonly Line[],
  width: number,
  marks: () => readonly number[],
): uPlot.Options {
  const soft = inked("--ink-soft");
  const grid = { stroke: inked("--line"), width: 1 };
  const axis = {
    stroke: soft,
    grid,
    ticks: { show: false },
    font: '12px "Segoe UI", Roboto, "Noto Sans CJK SC", system-ui',
  };
  const right = lines.find((line) => line.isRight === true);
  const left = lines.find((line) => line.isRight !== true);
  const valuesOf =
    (line: Line | undefined) =>
    (_: uPlot, splits: number[]): string[] =>
      splits.map((split) => line?.format(split) ?? "");
  return {
    width,
    height: HEIGHT_PX,
    cursor: { sync: { key: CURSOR.key }, points: { size: 6 }, drag: { x: false, y: false } },
    legend: { show: false },
    scales: {
      x: { range: (_, min, max) => [Math.min(min, max - WINDOW_S / 15), max] },
      y: { range: upTo(left) },
      right: { range: upTo(right) },
    },
    axes: [
      {
        ...axis,
        space: 72,
        size: 28,
        values: (_, splits) => splits.map((atS) => timeOfDay(atS * 1000)),
      },
      { ...axis, size: 58, values: valuesOf(left) },
      ...(right === undefined ? [] : [rightAxis({ ...axis, values: valuesOf(right) })]),
    ],
    series: [
      {},
      ...lines.map((line): uPlot.Series => {
        const stroke = inked(line.colour);
        return {
          label: line.label,
          stroke,
          width: 1.75,
          scale: line.isRight === true ? "right" : "y",
          points: { show: false },
          ...(line.isFilled === true
            ? { fill: stroke.replace("rgb(", "rgba(").replace(")", ", 0.14)") }
            : {}),
        };
      }),
    ],
    hooks: { draw: [(chart) => drawMarks(chart, marks(), inked("--accent"))] },
  };
}

/** From zero to a little above the highest. */
const upTo =
  (line: Line | undefined) =>
  (_: uPlot, __: number, max: number | null): [number, number] => [
    0,
    Math.max(line?.least ?? 1, (max ?? 0) * 1.15),
  ];

const rightAxis = (axis: uPlot.Axis): uPlot.Axis => ({
  ...axis,
  // uPlot counts sides clockwise from the top; its const enum is not there at run time.
  ...({ side: 1 } as unknown as Pick<uPlot.Axis, "side">),
  scale: "right",
  size: 58,
  grid: { show: false },
});

function drawMarks(chart: uPlot, atS: readonly number[], colour: string): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4, 4]);
  for (const at of atS) {
    const x = chart.valToPos(at, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

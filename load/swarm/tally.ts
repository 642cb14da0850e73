/** Sums over all viewers of one process, and how sums of several processes add up. Times are histograms in µs. */
import { FRAMES } from "#wire";
import { createHistogram, type Histogram, type PackedHistogram } from "./histogram.ts";

/** Counted on every delivery, so plain fields and one array. */
export interface Tally {
  frames: number;
  bytes: number;
  readonly byOpcode: Uint32Array;
  /** Of frames with this opcode the times of arrival are kept; -1: of none. */
  watched: number;
  arrivedAtMs: number[];
  /** Commands that were answered by a fault, by its code; passing ones too. */
  readonly faults: Record<string, number>;
  readonly joinUs: Histogram;
  readonly holdUs: Histogram;
  readonly commentUs: Histogram;
  readonly fanoutUs: Histogram;
  /** How late timers of this process fired: above a few ms, the generator itself is what is measured. */
  readonly lagUs: Histogram;
}

export const createTally = (): Tally => ({
  frames: 0,
  bytes: 0,
  byOpcode: new Uint32Array(256),
  watched: -1,
  arrivedAtMs: [],
  faults: {},
  joinUs: createHistogram(),
  holdUs: createHistogram(),
  commentUs: createHistogram(),
  fanoutUs: createHistogram(),
  lagUs: createHistogram(),
});

/** Travels between processes as JSON. */
export interface Figures {
  readonly viewers: number;
  /** In the room at this moment. */
  readonly joined: number;
  /** Messages and payload bytes received. */
  readonly frames: number;
  readonly bytes: number;
  /** Messages received, by frame name. */
  readonly byKind: Readonly<Record<string, number>>;
  /** Connections that ended, by close code; those that broke (1006) with the reason. */
  readonly closes: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  /** CPU time of the load processes. */
  readonly cpuSeconds: number;
  /** Hello → joined · hold → answer · comment → answer · comment sent → shown to a viewer · lateness of own timers. */
  readonly joinUs: PackedHistogram;
  readonly holdUs: PackedHistogram;
  readonly commentUs: PackedHistogram;
  readonly fanoutUs: PackedHistogram;
  readonly lagUs: PackedHistogram;
}

const NAMES = new Map<number, string>(
  Object.entries(FRAMES).map(([name, { opcode }]) => [opcode, name]),
);

export const kindCounts = (byOpcode: Uint32Array): Record<string, number> => {
  const counts: Record<string, number> = {};
  byOpcode.forEach((n, opcode) => {
    if (n > 0) counts[NAMES.get(opcode) ?? `0x${opcode.toString(16)}`] = n;
  });
  return counts;
};

export const sumByName = (
  parts: readonly Readonly<Record<string, number>>[],
): Record<string, number> => {
  const total: Record<string, number> = {};
  for (const part of parts)
    for (const [name, n] of Object.entries(part)) total[name] = (total[name] ?? 0) + n;
  return total;
};

export const addUp = (parts: readonly Figures[]): Figures => {
  const sum = (of: (part: Figures) => number): number =>
    parts.reduce((total, part) => total + of(part), 0);
  const merged = (of: (part: Figures) => PackedHistogram): PackedHistogram => {
    const all = createHistogram();
    for (const part of parts) all.add(of(part));
    return all.pack();
  };
  return {
    viewers: sum((p) => p.viewers),
    joined: sum((p) => p.joined),
    frames: sum((p) => p.frames),
    bytes: sum((p) => p.bytes),
    byKind: sumByName(parts.map((p) => p.byKind)),
    closes: sumByName(parts.map((p) => p.closes)),
    faults: sumByName(parts.map((p) => p.faults)),
    cpuSeconds: sum((p) => p.cpuSeconds),
    joinUs: merged((p) => p.joinUs),
    holdUs: merged((p) => p.holdUs),
    commentUs: merged((p) => p.commentUs),
    fanoutUs: merged((p) => p.fanoutUs),
    lagUs: merged((p) => p.lagUs),
  };
};

export interface QuantilesMs {
  readonly count: number;
  /** null: nothing was recorded. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

export function quantilesMs(packedUs: PackedHistogram): QuantilesMs {
  const histogram = createHistogram();
  histogram.add(packedUs);
  const { count } = histogram;
  if (count === 0) return { count, p50: null, p99: null, max: null };
  const ms = (share: number): number => (histogram.quantile(share) ?? 0) / 1000;
  return { count, p50: ms(0.5), p99: ms(0.99), max: histogram.max / 1000 };
}

/** Whose turn it is, judged by what clients saw: the line in its order, and a drawn start in the order of the seed that it published. */
import { createHash } from "node:crypto";
import type { DownFrame } from "#wire";
import { after, fieldOf, HAS_UNITS, type History, type Known, lastOf } from "./orders.ts";

/** Who had the earlier ticket and still waits at that version has been passed over; so has everybody by who never waited. */
export function line(orders: readonly Known[]): string[] {
  const faults: string[] = [];
  // The draw gives new tickets, one by one: those that stand in the end are the ones that counted.
  const last = lastOf(orders);
  const ticketOf = (one: Known): number => last.get(fieldOf(one))?.ticket ?? 0;
  let before = new Map<string, Known>();
  for (const now of after(orders)) {
    const waits = [...now.values()].filter(({ state }) => state === "waiting");
    for (const [field, one] of now) {
      const was = before.get(field)?.state;
      if (one.state !== "held" || (was !== undefined && was !== "waiting")) continue;
      for (const other of waits)
        if (
          before.get(fieldOf(other))?.state === "waiting" &&
          ticketOf(other) < (ticketOf(one) || Infinity)
        )
          faults.push(`[F6] ${field} was held before ${fieldOf(other)}`);
    }
    before = new Map(now);
  }
  return faults;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

type Drawn = Extract<DownFrame, { kind: "dropDrawn" }>;

/** The seed is the one that was promised, and who queued was served by it; who came after the draw stands behind, in a lottery nowhere. */
export function drawnStart(history: History, orders: readonly Known[]): string[] {
  const { dropId, mode, seedHash, saw } = history;
  if (mode === "fcfs") return [];
  const drawn = saw.flatMap((one): Drawn[] =>
    one.what === "frame" && one.frame.kind === "dropDrawn" && one.frame.dropId === dropId
      ? [one.frame]
      : [],
  );
  const last = [...lastOf(orders).values()];
  const first = drawn[0];
  if (first === undefined)
    return last
      .filter(({ deadlineMs }) => deadlineMs > 0)
      .map((one) => `[DRAW2] ${fieldOf(one)} was held without a draw`);
  const seeds = drawn.filter(({ seed }) => sha256(seed) !== seedHash);
  return [
    ...seeds.map(({ seed }) => `[DRAW2] ${seed} is not the seed that was promised`),
    ...byTheSeed(first, last),
    ...(mode === "lottery" ? latecomers(first, last) : []),
  ];
}

function byTheSeed({ seed, entrants }: Drawn, last: readonly Known[]): string[] {
  // Who left may have done so before the draw, with another ticket.
  const queued = last
    .filter(
      ({ ticket, state, deadlineMs }) => ticket > 0 && (state !== "cancelled" || deadlineMs > 0),
    )
    .filter(({ ticket }) => ticket <= entrants)
    .sort((a, b) => a.ticket - b.ticket)
    .map((one) => ({ ...one, rank: sha256(seed + sha256(fieldOf(one))) }));
  return queued.flatMap((one, i) => {
    const next = queued[i + 1];
    return next === undefined || (one.ticket < next.ticket && one.rank < next.rank)
      ? []
      : [`[DRAW2] ${fieldOf(next)} stands behind ${fieldOf(one)}, but not by the seed`];
  });
}

const latecomers = ({ entrants }: Drawn, last: readonly Known[]): string[] =>
  last
    .filter(({ ticket, state }) => ticket > entrants || (ticket === 0 && HAS_UNITS.includes(state)))
    .map((one) => `[DRAW2] ${fieldOf(one)} got into a lottery after its draw`);

/**
 * A drop as HTTP shows it: its books, and its state as Redis TIME says, whether or not a sweep has come by yet. [I9]
 * Pure; does what `turn` in shop/books.lua will do, without doing it.
 */
import type { Drop } from "#wire";
import { z } from "zod";
import type { Durability } from "../shop/inventory.ts";
import { AT_MS, CENTS, DROP_ID, SKU, UNITS } from "./schemas.ts";

type Later = "mode" | "seedHash" | "waitlisted" | "waitServed" | "admission";

/** As `books.lua` keeps it; what came to the wire later is missing in drops made before. */
export interface StoredDrop extends Omit<Drop, Later>, Partial<Pick<Drop, Later>> {
  readonly restocked: number;
  readonly writtenOff: number;
  /** Of a drop with a draw: it has taken place. */
  readonly drawn?: boolean;
  readonly durability?: Durability;
}

export const DropView = z.object({
  dropId: DROP_ID,
  sku: SKU,
  title: z.string(),
  state: z.enum(["announced", "open", "soldOut", "closed", "voided"]),
  mode: z.enum(["fcfs", "random", "lottery"]).describe("who comes first"),
  seedHash: z.string().describe("SHA-256 of the draw's seed; empty for fcfs"),
  admission: z.enum(["open", "flagged", "token", "proof"]).describe("what a buyer must show"),
  durability: z.enum(["disk", "replica", "memory"]).describe("what “yours” stands on"),
  priceCents: CENTS,
  wasCents: CENTS.describe("the product's own price when the drop was made"),
  allotment: UNITS,
  allotted: UNITS.describe("allotted + restocked = available + held + sold + writtenOff"),
  restocked: UNITS,
  available: UNITS,
  held: UNITS,
  sold: UNITS,
  writtenOff: UNITS.describe("units that went back to the product"),
  perBuyerLimit: z.int(),
  holdMs: z.int(),
  startsAtMs: AT_MS,
  endsAtMs: AT_MS,
  waitlisted: UNITS.describe("places in the waiting line given so far"),
  waitServed: UNITS.describe("and those whose turn has come"),
  restockEpoch: z.int(),
  version: z.int(),
});
export type DropView = z.output<typeof DropView>;

export function viewOf(drop: StoredDrop, nowMs: number): DropView {
  const { allotment, writtenOff, available } = drop;
  const { mode = "fcfs", seedHash = "", durability = "disk", admission = "open" } = drop;
  const state = stateAt(drop, nowMs);
  const closesNow = state === "closed" && drop.state !== "closed";
  return {
    dropId: drop.dropId,
    sku: drop.sku,
    title: drop.title,
    state,
    mode,
    seedHash,
    admission,
    durability,
    priceCents: drop.priceCents,
    wasCents: drop.wasCents,
    allotment,
    allotted: allotment,
    restocked: drop.restocked,
    available: closesNow ? 0 : available,
    held: drop.held,
    sold: drop.sold,
    writtenOff: closesNow ? writtenOff + available : writtenOff,
    perBuyerLimit: drop.perBuyerLimit,
    holdMs: drop.holdMs,
    startsAtMs: drop.startsAtMs,
    endsAtMs: drop.endsAtMs,
    waitlisted: drop.waitlisted ?? 0,
    waitServed: drop.waitServed ?? 0,
    restockEpoch: drop.restockEpoch,
    version: drop.version,
  };
}

function stateAt(drop: StoredDrop, nowMs: number): Drop["state"] {
  const { state } = drop;
  if (state === "closed" || state === "voided") return state;
  if (nowMs >= drop.endsAtMs) return "closed";
  const mayOpen = (drop.mode ?? "fcfs") === "fcfs" || drop.drawn === true;
  return state === "announced" && mayOpen && nowMs >= drop.startsAtMs ? "open" : state;
}

/** Nothing more is sold. */
export const isOver = ({ state }: DropView): boolean => state === "closed" || state === "voided";

/** I1 as one number: 0 when the books balance. */
export const imbalanceOf = (d: DropView): number =>
  d.allotted + d.restocked - d.available - d.held - d.sold - d.writtenOff;

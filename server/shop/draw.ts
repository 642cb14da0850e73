/**
 * The fair start: an order that nobody chose and anybody can recompute. A seed is made with the drop, its SHA-256 is published
 * at once, the seed itself at the start, when the list of entrants is frozen (commit–reveal). An entrant is known by
 * `SHA-256(viewerId|key)`, the rank is by `SHA-256(seed + entrant)`, smallest first, all in lower-case hex.
 */
import { createHash, randomBytes } from "node:crypto";
import type { Drop } from "#wire";

export type DropMode = Drop["mode"];

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

export function newSeed(): { readonly seed: string; readonly seedHash: string } {
  const seed = randomBytes(32).toString("hex");
  return { seed, seedHash: sha256(seed) };
}

/** @param field `viewerId|key` @returns what is published of an entrant: without the key nobody can tell who it is */
export const entrantOf = (field: string): string => sha256(field);

/** @param fields `viewerId|key` of everybody in line, in any order @returns them in drawn order */
export const drawOrder = (seed: string, fields: readonly string[]): readonly string[] =>
  fields
    .map((field) => [sha256(seed + entrantOf(field)), field] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, field]) => field);

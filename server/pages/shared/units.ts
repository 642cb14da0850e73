/** How many units a drop has in all. A restock adds to its books, not to what it was first allotted. */
import type { Drop } from "#sdk";

export const unitsOf = (drop: Pick<Drop, "allotment" | "available" | "held" | "sold">): number =>
  Math.max(drop.allotment, drop.available + drop.held + drop.sold);

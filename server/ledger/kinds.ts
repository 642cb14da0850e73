/**
 * Every kind of movement that the scripts in `shop/` write, and what each does to the books of its drop, to its hold and to money.
 * A new kind is one row here; a test compares the rows with the scripts.
 */
import type { Books } from "./movement.ts";

/** none: it is new. */
export type HoldState = "none" | "held" | "sold" | "expired" | "cancelled" | "returned";

export type Field = keyof Books;

/** What a kind does to the books, and to the hold. */
export interface Kind {
  /** Units leave `from` for `to`; from nowhere when they are new. */
  readonly from?: Field;
  readonly to: Field;
  /** Where units go once the drop is closed. */
  readonly toWhenClosed?: Field;
  /** Also counted here. */
  readonly counts?: Field;
  /** The hold's state before and after. */
  readonly hold?: { readonly before: readonly HoldState[]; readonly after: HoldState };
  /** `cents` are taken, or go back. */
  readonly money?: "in" | "out";
  /** Not after the drop's end. */
  readonly whileOpen?: true;
  /** The drop's end: all units that are left go. */
  readonly ends?: "closed" | "voided";
}

const NEW = ["none"] as const;
const OPEN = ["held"] as const;
const ENDED = ["expired", "cancelled"] as const;

/** One row per kind of movement that the scripts in `shop/` write. */
export const KINDS: Readonly<Record<string, Kind>> = {
  allotted: { to: "available", counts: "allotted" },
  restocked: { to: "available", counts: "restocked", whileOpen: true },
  held: taken(NEW),
  offered: taken(NEW),
  reheld: taken(ENDED),
  sold: { from: "held", to: "sold", hold: { before: OPEN, after: "sold" }, money: "in" },
  expired: back("expired"),
  cancelled: back("cancelled"),
  returned: { ...returned("available"), whileOpen: true },
  returnedToProduct: returned("writtenOff"),
  returnedAsLoss: returned("writtenOff"),
  closed: { from: "available", to: "writtenOff", ends: "closed" },
  voided: { from: "available", to: "writtenOff", ends: "voided" },
};

function taken(before: readonly HoldState[]): Kind {
  return { from: "available", to: "held", hold: { before, after: "held" }, whileOpen: true };
}

function returned(to: Field): Kind {
  return { from: "sold", to, hold: { before: ["sold"], after: "returned" }, money: "out" };
}

function back(after: HoldState): Kind {
  return {
    from: "held",
    to: "available",
    toWhenClosed: "writtenOff",
    hold: { before: OPEN, after },
  };
}

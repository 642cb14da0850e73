/** What clients saw of a show, and what can be known of its orders by that alone: each state of each of them, in the order of versions. */
import type { DownFrame, Drop, Order } from "#wire";

export type Saw = {
  /** One connection of a tab; while a tab moves to another node it has two. */
  readonly client: string;
  readonly tab: string;
  readonly viewerId: string;
} &
  /** A try to buy; `call` numbers them. */
  (
    | { readonly what: "asked"; readonly key: string; readonly call: number }
    | {
        readonly what: "held";
        readonly key: string;
        readonly call: number;
        readonly deadlineMs: number;
        readonly quantity: number;
      }
    /** Once and for all, whatever the word; "not so fast" is none of them. */
    | {
        readonly what: "refused";
        readonly key: string;
        readonly call: number;
        readonly word: string;
      }
    /** The host was answered that this viewer's order is taken back. */
    | { readonly what: "tookBack"; readonly key: string }
    | { readonly what: "frame"; readonly frame: DownFrame }
  );

export interface History {
  readonly dropId: string;
  /** Allotted and restocked, in the end. */
  readonly units: number;
  readonly limit: number;
  readonly holdMs: number;
  readonly priceCents: number;
  readonly mode: Drop["mode"];
  /** As it was shown before the start; empty for fcfs. */
  readonly seedHash: string;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly couponBudgetCents: number;
  /** What the payment provider has kept in the end. */
  readonly takingsCents: number;
  /** In the order in which each client saw it. */
  readonly saw: readonly Saw[];
}

export type Known = Order & { readonly viewerId: string };

export const HAS_UNITS: readonly string[] = ["held", "paying", "sold"];

export const fieldOf = ({ viewerId, holdId }: Known): string => `${viewerId}|${holdId}`;

export const grouped = <T>(list: readonly T[], name: (one: T) => string): Map<string, T[]> => {
  const by = new Map<string, T[]>();
  for (const one of list) by.set(name(one), [...(by.get(name(one)) ?? []), one]);
  return by;
};

/** Every state of every order of a drop that anybody saw, in the order of the drop's versions. */
export function ordersOf(dropId: string, saw: readonly Saw[]): Known[] {
  const seen = new Map<string, Known>();
  for (const { viewerId, ...one } of saw)
    if (one.what === "frame" && one.frame.kind === "orderChanged" && one.frame.dropId === dropId) {
      const { kind: _, ...order } = one.frame;
      seen.set(`${viewerId}|${JSON.stringify(order)}`, { ...order, viewerId });
    }
  return [...seen.values()].sort((a, b) => a.version - b.version);
}

/** The newest state of every order after each version. */
export function* after(orders: readonly Known[]): Generator<ReadonlyMap<string, Known>> {
  const now = new Map<string, Known>();
  for (const [i, order] of orders.entries()) {
    now.set(fieldOf(order), order);
    if (orders[i + 1]?.version !== order.version) yield now;
  }
}

/** The last that was seen of every order. */
export const lastOf = (orders: readonly Known[]): ReadonlyMap<string, Known> =>
  new Map(orders.map((order) => [fieldOf(order), order]));

/** Orders that were taken back. */
export const takenBack = (saw: readonly Saw[]): ReadonlySet<string> =>
  new Set(saw.flatMap((one) => (one.what === "tookBack" ? [`${one.viewerId}|${one.key}`] : [])));

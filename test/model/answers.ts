/** What buyers were answered when they tried to buy, against the orders that they were shown: the two are one story. [I3 BUY11] */
import type { Order } from "#wire";
import { grouped, type History, type Saw } from "./orders.ts";

type Seen<W extends Saw["what"]> = Extract<Saw, { what: W }> & { readonly at: number };
/** Places in line, which have no deadline, are none. */
interface Ordered {
  readonly what: "order";
  readonly at: number;
  readonly order: Order;
}
type Told = Seen<"asked"> | Seen<"held"> | Seen<"refused"> | Ordered;

/** All that was seen of one key of one viewer, and when. */
interface Story {
  readonly asked: readonly Seen<"asked">[];
  readonly held: readonly Seen<"held">[];
  readonly refused: readonly Seen<"refused">[];
  readonly orders: readonly Ordered[];
}

export function answers({ dropId, saw }: History): string[] {
  const told = saw.flatMap((one, at): (readonly [field: string, told: Told])[] => {
    const { viewerId } = one;
    if (one.what === "tookBack") return [];
    if (one.what !== "frame") return [[`${viewerId}|${one.key}`, { ...one, at }]];
    const { frame } = one;
    if (frame.kind !== "orderChanged" || frame.dropId !== dropId || frame.deadlineMs === 0)
      return [];
    return [[`${viewerId}|${frame.holdId}`, { what: "order", at, order: frame }]];
  });
  return [...grouped(told, ([field]) => field)].flatMap(([field, all]) => {
    const pick = <W extends Told["what"]>(what: W) =>
      all.flatMap(([, one]) => (one.what === what ? [one as Extract<Told, { what: W }>] : []));
    const story: Story = {
      asked: pick("asked"),
      held: pick("held"),
      refused: pick("refused"),
      orders: pick("order"),
    };
    return [...heldAlike(story), ...refusedAndHeld(story)].map((what) => `[I3] ${field} ${what}`);
  });
}

/** Each "held" is the same, and an order that its buyer is shown. */
function heldAlike({ held, orders }: Story): string[] {
  const [first] = held;
  if (first === undefined) return [];
  const isLike = (one: { readonly deadlineMs: number; readonly quantity: number }): boolean =>
    one.deadlineMs === first.deadlineMs && one.quantity === first.quantity;
  return [
    ...(held.every(isLike) ? [] : ["was answered differently"]),
    ...(orders.some(({ order }) => isLike(order))
      ? []
      : ["was answered held, and is no such order"]),
  ];
}

/**
 * A refusal is not remembered: the same key may be held when it is tried again. But somebody must have tried who was not refused, and from
 * then on nobody is.
 */
function refusedAndHeld({ asked, held, refused, orders }: Story): string[] {
  const no = new Set(refused.map(({ call }) => call));
  const known = Math.min(...[...held, ...orders].map(({ at }) => at));
  const isBought = orders.some(({ order }) => order.ticket === 0);
  const late = asked.some(({ call, at }) => no.has(call) && at > known);
  return [
    ...(isBought && asked.every(({ call }) => no.has(call))
      ? ["was refused, and is an order"]
      : []),
    ...(late ? ["was held before, and was refused"] : []),
  ];
}

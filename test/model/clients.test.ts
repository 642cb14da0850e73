/** Random buyers through real gateways, judged by what they saw; one node goes away in the middle of each history. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorld, type World } from "../helpers/rooms.ts";
import { judge } from "./judge.ts";
import type { History, Saw } from "./orders.ts";
import { anySale, sell } from "./sale.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const nameOf = (one: Saw): string =>
  one.what === "frame" ? one.frame.kind : one.what === "refused" ? one.word : one.what;

let recorded: readonly History[] = [];

test("[MODEL5][I2][I3][I4][I5][I7][I8][I9][F6][DRAW2] buyers with two tabs on two nodes, one of which goes away, see nothing that cannot be, in drawn starts and returns neither", async () => {
  const seed = Date.now() % 1_000_000;
  const modes = ["fcfs", "random", "lottery"] as const;
  const sales = fc.sample(anySale, { numRuns: 9, seed });
  recorded = await Promise.all(
    sales.map((sale, i) => sell(world, { ...sale, mode: modes[i % 3] ?? sale.mode })),
  );
  for (const history of recorded) expect(judge(history), `seed ${seed}`).toEqual([]);
  const kinds = new Set(recorded.flatMap(({ saw }) => saw.map(nameOf)));
  const usual = "held soldOut orderChanged stockChanged dropSoldOut dropDrawn dropClosed tookBack";
  for (const kind of usual.split(" ")) expect(kinds, kind).toContain(kind);
}, 120_000);

type Frame<K> = Extract<Extract<Saw, { what: "frame" }>["frame"], { kind: K }>;
type Change = (saw: Saw[]) => Saw[];

const sawFrame = <K extends string>(one: Saw, kind: K): Frame<K> | undefined =>
  one.what === "frame" && one.frame.kind === kind ? (one.frame as Frame<K>) : undefined;

/** Changes the first frame of a kind that `fits`, on the screens on which it was seen. */
function changed<K extends string>(
  kind: K,
  fits: (frame: Frame<K>) => boolean,
  to: (frame: Frame<K>) => object,
): (saw: Saw[], onlyOnce?: boolean) => Saw[] {
  return (saw, onlyOnce = false) => {
    const frames = saw.map((one) => sawFrame(one, kind));
    const found = frames.find((frame) => frame !== undefined && fits(frame));
    const told = JSON.stringify(found);
    const first = frames.indexOf(found);
    return saw.map((one, i) => {
      const isIt = found !== undefined && JSON.stringify(frames[i]) === told;
      if (!isIt || (onlyOnce && i !== first)) return one;
      return { ...one, frame: { ...found, ...to(found) } } as Saw;
    });
  };
}
const any = (): boolean => true;
const isHeld = ({ state, ticket }: Frame<"orderChanged">): boolean =>
  state === "held" && ticket === 0;

const everyHeld = (saw: Saw[], more: (one: Saw, frame: Frame<"orderChanged">) => Saw[]): Saw[] =>
  saw.flatMap((one) => {
    const order = sawFrame(one, "orderChanged");
    return order !== undefined && isHeld(order) ? [one, ...more(one, order)] : [one];
  });
const quantity = (n: number): Change => changed("orderChanged", isHeld, () => ({ quantity: n }));
const twice: Change = (saw) =>
  everyHeld(saw, (one, order) =>
    ["x1", "x2", "x3"].map((holdId) => ({ ...one, frame: { ...order, holdId } }) as Saw),
  );
const again: Change = (saw) => [
  ...saw,
  ...saw.flatMap((one) => {
    const order = sawFrame(one, "orderChanged");
    if (order?.state !== "expired") return [];
    const frame = { ...order, state: "held", version: order.version + 1_000_000 };
    return [{ ...one, frame } as Saw];
  }),
];
const missing: Change = (saw) => {
  const i = saw.findIndex((one) => sawFrame(one, "dropSoldOut") !== undefined);
  return i < 0 ? saw : saw.toSpliced(i, 1);
};
const otherAnswer: Change = (saw) =>
  saw.flatMap((one): Saw[] =>
    one.what === "held" ? [one, { ...one, deadlineMs: one.deadlineMs + 1 }] : [one],
  );
type Held = Extract<Saw, { what: "held" }>;
type Refused = Extract<Saw, { what: "refused" }>;
const refusedOf = ({ client, tab, viewerId, key, call }: Held): Refused => ({
  client,
  tab,
  viewerId,
  key,
  call,
  what: "refused",
  word: "soldOut",
});
const isOf = (one: Saw, { viewerId, key: of }: Held): boolean =>
  one.what === "held" && one.viewerId === viewerId && one.key === of;
/** The first key that was held is refused every time. */
const refusedYetHeld: Change = (saw) => {
  const first = saw.find((one) => one.what === "held");
  return saw.map((one) =>
    first !== undefined && one.what === "held" && isOf(one, first) ? refusedOf(one) : one,
  );
};
const refusedLater: Change = (saw) => {
  const first = saw.find((one) => one.what === "held");
  if (first === undefined) return saw;
  const later = { ...first, call: 1_000_000 };
  return [...saw, { ...later, what: "asked" }, refusedOf(later)];
};
const heldYetRefused: Change = (saw) => {
  const orders = saw.flatMap((one) => {
    const order = sawFrame(one, "orderChanged");
    return order === undefined ? [] : [`${one.viewerId}|${order.holdId}`];
  });
  return saw.map((one) =>
    one.what === "refused" &&
    one.word === "soldOut" &&
    !orders.includes(`${one.viewerId}|${one.key}`)
      ? { ...one, what: "held", deadlineMs: 1, quantity: 1 }
      : one,
  );
};
const everyTicket =
  (to: (ticket: number, entrants: number) => number): Change =>
  (saw) => {
    const [drawn] = saw.flatMap((one) => sawFrame(one, "dropDrawn") ?? []);
    return saw.map((one) => {
      const order = sawFrame(one, "orderChanged");
      if (drawn === undefined || order === undefined || order.ticket === 0) return one;
      return { ...one, frame: { ...order, ticket: to(order.ticket, drawn.entrants) } } as Saw;
    });
  };
const somebodyWaits: Change = (saw) => {
  const [order] = saw.flatMap((one) => sawFrame(one, "orderChanged") ?? []);
  if (order === undefined) return saw;
  const frame = { ...order, holdId: "z", state: "waiting", ticket: 1, version: 0, deadlineMs: 0 };
  const one = { client: "zoe", tab: "zoe", viewerId: "zoe", what: "frame", frame } as Saw;
  return [one, ...saw];
};
const isLater = ({ version }: Frame<"stockChanged">): boolean => version > 2;

const CHANGES: readonly (readonly [what: string, rule: string, change: Change])[] = [
  ["a repeat is answered with another deadline", "[I3]", otherAnswer],
  [
    "a buyer is told sold out whose key became an order",
    "was refused, and is an order",
    refusedYetHeld,
  ],
  [
    "a key that was held is sold out when it is repeated",
    "held before, and was refused",
    refusedLater,
  ],
  ["a buyer is told held whose key became no order", "held, and is no such order", heldYetRefused],
  ["more is held than there is", "[I2]", quantity(90)],
  ["the limit is broken", "[I4]", quantity(4)],
  ["holds are doubled", "[I4]", twice],
  ["a hold that has ended is held again", "[I5]", again],
  ["an event is missing", "[I7]", missing],
  [
    "an event is another one elsewhere",
    "[I10]",
    (saw) => changed("dropClosed", any, ({ atMs }) => ({ atMs: atMs + 1 }))(saw, true),
  ],
  [
    "the stock goes backwards",
    "[S]",
    (saw) => changed("stockChanged", isLater, () => ({ version: 0 }))(saw, true),
  ],
  [
    "a discount does not add up",
    "[I8]",
    changed("orderChanged", isHeld, (o) => ({ discountCents: o.discountCents + 1 })),
  ],
  [
    "something is held before the start",
    "[I9]",
    changed("orderChanged", isHeld, () => ({ deadlineMs: 1 })),
  ],
  ["somebody is held past the line", "was held before zoe|z", somebodyWaits],
  [
    "another seed is published than was promised",
    "is not the seed that was promised",
    changed("dropDrawn", any, () => ({ seed: "0".repeat(64) })),
  ],
  [
    "a draw turns the order round",
    "but not by the seed",
    everyTicket((ticket, entrants) => entrants + 1 - ticket),
  ],
  ["a lottery lets latecomers in", "got into a lottery", everyTicket((ticket) => ticket + 90)],
  [
    "a drop is drawn without saying so",
    "was held without a draw",
    (saw) => saw.filter((one) => sawFrame(one, "dropDrawn") === undefined),
  ],
  [
    "the money of what was taken back stays away",
    "was taken back, and is sold",
    (saw) => saw.filter((one) => sawFrame(one, "orderChanged")?.state !== "refunded"),
  ],
  [
    "an order is refunded that nobody took back",
    "nobody took it back",
    (saw) => saw.filter((one) => one.what !== "tookBack"),
  ],
];

test.each(CHANGES)("[MODEL6] the judge notices when %s", (_, rule, change) => {
  // All were lawful; in at least one of them there is something to change.
  const saw = recorded.map((history) => ({ ...history, saw: change([...history.saw]) }));
  expect(saw.flatMap(judge).join("\n")).toContain(rule);
});

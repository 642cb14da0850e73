/** Random buyers through real gateways, judged by what they saw; one node goes away in the middle of each history. */
import fc from "fast-check";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectRedis } from "../../server/redis/connect.ts";
import { startCashier } from "../../server/shop/cashier.ts";
import { createSandbox } from "../../server/shop/sandbox.ts";
import { startWorld, until, type World } from "../helpers/rooms.ts";
import { openTabs, type Tab } from "./clients.ts";
import { type History, judge, type Saw } from "./judge.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const PRICE_CENTS = 4900;
const tap = fc.record({
  tab: fc.nat(5),
  what: fc.constantFrom("hold", "hold", "hold", "hold", "wait", "pay", "pay", "cancel", "claim"),
  key: fc.constantFrom("k1", "k2", "k3"),
  quantity: fc.constantFrom(1, 1, 2),
  hasCoupon: fc.boolean(),
});
const sale = fc.record({
  allotment: fc.integer({ min: 2, max: 5 }),
  limit: fc.integer({ min: 1, max: 3 }),
  restock: fc.integer({ min: 0, max: 2 }),
  /** Taps of one turn are under way together. */
  turns: fc.array(fc.array(tap, { minLength: 3, maxLength: 8 }), { minLength: 6, maxLength: 9 }),
});
type Sale = typeof sale extends fc.Arbitrary<infer S> ? S : never;
type Tap = typeof tap extends fc.Arbitrary<infer T> ? T : never;

async function act(tab: Tab, dropId: string, one: Tap): Promise<void> {
  const { live } = tab;
  const { key, quantity } = one;
  if (one.what === "hold") await tab.hold(dropId, key, quantity, one.hasCoupon ? ["off"] : []);
  else if (one.what === "wait") await live.wait(dropId, { key, quantity });
  else if (one.what === "pay") await live.pay(key);
  else if (one.what === "cancel") await live.cancel(key);
  else await live.claim("off", { key });
}

const isOver = ({ live }: Tab): boolean =>
  [...live.state.orders.values()].every((o) => !["waiting", "held", "paying"].includes(o.state));

/** One sale from the first tap to the end of the last hold. */
async function sell({ allotment, limit, restock, turns }: Sale): Promise<History> {
  const show = await world.show();
  const nodes = [await world.gateway(), await world.gateway()] as const;
  const startsAtMs = Date.now();
  const holdMs = 700;
  const dropId = await world.drop(show, allotment, { perBuyerLimit: limit, holdMs, startsAtMs });
  const coupon = { couponId: "off", title: "券", offCents: 1000, minSpendCents: 0, sku: "" };
  const use = { perViewerLimit: 2, startsAtMs: 0, endsAtMs: startsAtMs + 600_000, stacks: false };
  await world.inventory.addCoupon(show, { ...coupon, ...use, left: 3, version: 1 });
  // Every third payment is declined.
  let payments = 0;
  const behave = () => ({ answer: ++payments % 3 === 0 ? "declined" : "paid" }) as const;
  const cashier = startCashier({
    redis: world.store,
    blocking: connectRedis(world.redis.url, "blocking"),
    inventory: world.inventory,
    adapter: createSandbox(20, { behave }),
    consumer: "control-0",
    shows: () => [show],
    currencyOf: async () => "CNY",
    log: pino({ level: "silent" }),
  });
  const { tabs, saw } = await openTabs(world, show, ["ann", "bob", "eve"], nodes);
  for (const [i, turn] of turns.entries()) {
    const going = turn.map((one) => act(tabs[one.tab] as Tab, dropId, one));
    if (i === 2) going.push(world.inventory.restock(show, dropId, restock).then(() => undefined));
    if (i === 4) going.push(nodes[0].stop());
    await Promise.all(going);
  }
  await world.inventory.close(show, dropId);
  // Every hold ends by itself, and every screen hears of it. [I5]
  await until(() => tabs.every(isOver), 20_000);
  await cashier.stop();
  for (const { live } of tabs) live.close();
  await nodes[1].stop();
  const units = allotment + restock;
  const terms = { dropId, units, limit, holdMs, priceCents: PRICE_CENTS, couponBudgetCents: 3000 };
  return { ...terms, startsAtMs, endsAtMs: startsAtMs + 600_000, saw };
}

let recorded: readonly History[] = [];

test("[MODEL5][I2][I3][I4][I5][I7][I8][I9] buyers with two tabs on two nodes, one of which goes away, see nothing that cannot be", async () => {
  const seed = Date.now() % 1_000_000;
  recorded = await Promise.all(fc.sample(sale, { numRuns: 8, seed }).map(sell));
  for (const history of recorded) expect(judge(history), `seed ${seed}`).toEqual([]);
  const kinds = new Set(
    recorded.flatMap(({ saw }) => saw.map((s) => (s.what === "frame" ? s.frame.kind : s.what))),
  );
  for (const kind of ["held", "orderChanged", "stockChanged", "dropSoldOut", "dropClosed"])
    expect(kinds, kind).toContain(kind);
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
const isLater = ({ version }: Frame<"stockChanged">): boolean => version > 2;

const CHANGES: readonly (readonly [what: string, rule: string, change: Change])[] = [
  ["a repeat is answered with another deadline", "[I3]", otherAnswer],
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
];

test.each(CHANGES)("[MODEL6] the judge notices when %s", (_, rule, change) => {
  // All were lawful; in at least one of them there is something to change.
  const saw = recorded.map((history) => ({ ...history, saw: change([...history.saw]) }));
  expect(saw.flatMap(judge).join("\n")).toContain(rule);
});

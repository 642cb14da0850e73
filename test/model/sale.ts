/** One sale by random buyers through real gateways: from the first tap to the end of the last hold, with all that they saw. */
import fc from "fast-check";
import { pino } from "pino";
import { createReturns } from "../../server/payments/returns.ts";
import { connectRedis } from "../../server/redis/connect.ts";
import { startCashier } from "../../server/shop/cashier.ts";
import { createSandbox } from "../../server/shop/sandbox.ts";
import { until, type World } from "../helpers/rooms.ts";
import { type Clients, openTabs, type Tab } from "./clients.ts";
import type { History } from "./orders.ts";

const PRICE_CENTS = 4900;
const HOLD_MS = 700;
const LASTS_MS = 600_000;
/** From the announcement of a drawn drop to its start: time to queue. */
const QUEUE_MS = 700;

const quantity = fc.constantFrom(1, 1, 2);
const key = fc.constantFrom("k1", "k2", "k3");
const tap = fc.record({
  tab: fc.nat(5),
  what: fc.constantFrom("hold", "hold", "hold", "hold", "wait", "pay", "pay", "cancel", "claim"),
  key,
  quantity,
  hasCoupon: fc.boolean(),
});
const queuing = fc.record({
  tab: fc.nat(5),
  what: fc.constantFrom("wait", "wait", "wait", "wait", "cancel"),
  key,
  quantity,
  hasCoupon: fc.constant(false),
});

export const anySale = fc.record({
  mode: fc.constantFrom("fcfs", "random", "lottery"),
  returnsTo: fc.constantFrom("drop", "product", "none"),
  allotment: fc.integer({ min: 2, max: 5 }),
  limit: fc.integer({ min: 1, max: 3 }),
  restock: fc.integer({ min: 0, max: 2 }),
  /** Before the start of a drawn drop. */
  queue: fc.array(queuing, { minLength: 4, maxLength: 10 }),
  /** Taps of one turn are under way together. */
  turns: fc.array(fc.array(tap, { minLength: 3, maxLength: 8 }), { minLength: 6, maxLength: 9 }),
});
type Sale = typeof anySale extends fc.Arbitrary<infer S> ? S : never;
type Tap = typeof tap extends fc.Arbitrary<infer T> ? T : never;

async function act(tab: Tab, dropId: string, one: Tap): Promise<void> {
  const { live } = tab;
  const units = { key: one.key, quantity: one.quantity };
  if (one.what === "hold")
    await tab.hold(dropId, one.key, one.quantity, one.hasCoupon ? ["off"] : []);
  else if (one.what === "wait") await live.wait(dropId, units);
  else if (one.what === "pay") await live.pay(one.key);
  else if (one.what === "cancel") await live.cancel(one.key);
  else await live.claim("off", { key: one.key });
}

const ENDS = ["sold", "expired", "cancelled", "refunded"];
const isOver = ({ live }: Tab): boolean =>
  [...live.state.orders.values()].every(({ state }) => ENDS.includes(state));

export async function sell(world: World, sale: Sale): Promise<History> {
  const { mode, returnsTo, allotment, limit, restock } = sale;
  const show = await world.show(1000, returnsTo);
  const nodes = [await world.gateway(), await world.gateway()] as const;
  const coupon = { couponId: "off", title: "券", offCents: 1000, minSpendCents: 0, sku: "" };
  const use = { perViewerLimit: 2, startsAtMs: 0, endsAtMs: Date.now() + LASTS_MS, stacks: false };
  await world.inventory.addCoupon(show, { ...coupon, ...use, left: 3, version: 1 });
  const { provider, cashier } = startPaying(world, show);
  const clients = await openTabs(world, show, ["ann", "bob", "eve"], nodes);
  const { tabs, saw } = clients;

  const startsAtMs = Date.now() + (mode === "fcfs" ? 0 : QUEUE_MS);
  const endsAtMs = startsAtMs + LASTS_MS;
  const own = { perBuyerLimit: limit, holdMs: HOLD_MS, startsAtMs, endsAtMs, mode };
  const dropId = await world.drop(show, allotment, own);
  const { seedHash } = await until(() => tabs[0]?.live.state.drops.get(dropId));
  if (mode !== "fcfs") {
    await Promise.all(sale.queue.map((one) => act(tabs[one.tab] as Tab, dropId, one)));
    await until(() => tabs[0]?.live.state.drops.get(dropId)?.state !== "announced");
  }
  for (const [i, turn] of sale.turns.entries()) {
    const going = turn.map((one) => act(tabs[one.tab] as Tab, dropId, one));
    if (i === 2) going.push(world.inventory.restock(show, dropId, restock).then(() => undefined));
    if (i === 4) going.push(nodes[0].stop());
    if (i >= 3) going.push(takeBack(world, show, clients));
    await Promise.all(going);
  }
  await world.inventory.close(show, dropId);
  // Every hold ends by itself, the money of what was taken back comes back, and every screen hears of it. [I5 F6]
  await until(() => tabs.every(isOver) && tabs.every((tab) => isRepaid(tab, clients)), 20_000);
  await cashier.stop();
  for (const { live } of tabs) live.close();
  await nodes[1].stop();
  const { chargedCents, refundedCents } = provider.takings;
  return {
    dropId,
    mode,
    seedHash,
    startsAtMs,
    endsAtMs,
    limit,
    units: allotment + restock,
    holdMs: HOLD_MS,
    priceCents: PRICE_CENTS,
    couponBudgetCents: 3000,
    takingsCents: chargedCents - refundedCents,
    saw,
  };
}

/** The provider declines every third payment. */
function startPaying(world: World, show: string) {
  let payments = 0;
  const behave = () => ({ answer: ++payments % 3 === 0 ? "declined" : "paid" }) as const;
  const provider = createSandbox(20, { behave });
  const cashier = startCashier({
    redis: world.store,
    blocking: connectRedis(world.redis.url, "blocking"),
    inventory: world.inventory,
    adapter: provider,
    consumer: "control-0",
    shows: () => [show],
    currencyOf: async () => "CNY",
    log: pino({ level: "silent" }),
  });
  return { provider, cashier };
}

/** The host takes back the first order that somebody's screen shows as sold, with a double click. */
async function takeBack(world: World, show: string, { tabs, saw }: Clients): Promise<void> {
  const returns = createReturns(world.store);
  for (const { viewerId, live } of tabs)
    for (const { holdId, orderId, state } of live.state.orders.values()) {
      if (state !== "sold") continue;
      const answers = [1, 2].map(() => returns.takeBack(show, orderId, "broken"));
      if ((await Promise.all(answers)).includes("unknown")) throw new Error(`no order ${orderId}`);
      saw.push({ client: "host", tab: "host", viewerId, what: "tookBack", key: holdId });
      return;
    }
}

const isRepaid = ({ viewerId, live }: Tab, { saw }: Clients): boolean =>
  saw.every(
    (one) =>
      one.what !== "tookBack" ||
      one.viewerId !== viewerId ||
      live.state.orders.get(one.key)?.state === "refunded",
  );

/** Payments through a provider shaped like Stripe: a real HTTP API, signed events in any order, and money that is taken once. */
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Intake } from "../../server/payments/intake.ts";
import { showKeys } from "../../server/redis/keys.ts";
import { type CashDesk, hear, openCashDesk } from "../helpers/cash-desk.ts";
import { until } from "../helpers/rooms.ts";
import type { StripeEvent } from "../helpers/stripe.ts";

let desk: CashDesk;
beforeAll(async () => {
  desk = await openCashDesk();
});
afterEach(() => desk.clear());
afterAll(() => desk.stop());

test("[PAY6] a session is opened once for a charge, paid on the provider's page, and settled by its event", async () => {
  const show = await desk.buying();
  const intake = desk.stripeCashier(show);
  const one = await desk.session(show);
  expect(one).toMatchObject({ amount: 4900, currency: "cny" });
  await until(
    async () =>
      (await desk.shop.redis.hget(showKeys(show).charges, "@ann|k")) ===
      `https://checkout.example/${one.id}`,
  );
  expect(await desk.stateOf(show)).toBe("p");
  desk.stripe.pay(one);
  await hear(desk.stripe, intake, desk.stripe.event(one, "checkout.session.completed"));
  expect(await desk.stateOf(show)).toBe("s");
  await until(() => desk.isQuiet(show));
  expect((await desk.ordersOf(show))[0]).toMatchObject({
    state: "sold",
    chargeId: one.ref.split("/")[1],
  });
  expect(desk.stripe.sessions.filter((s) => s.ref === one.ref)).toHaveLength(1);
  await desk.shop.checkBooks(show);
});

test("[PAY7] a lost event costs nothing: the session is asked", async () => {
  const show = await desk.buying();
  desk.stripeCashier(show, 20);
  desk.stripe.pay(await desk.session(show));
  await until(async () => (await desk.stateOf(show)) === "s");
});

test("[PAY8] answers that never arrive and failing calls open one session and refund once", async () => {
  const show = await desk.buying({ allotment: 1 });
  let lost = 3;
  desk.stripe.fault = (request) =>
    lost-- > 0
      ? lost % 2 === 0
        ? "lost"
        : 503
      : request.includes("refunds") && lost-- > -12
        ? "lost"
        : undefined;
  const intake = desk.stripeCashier(show);
  const one = await desk.session(show);
  await desk.lapse(show);
  await desk.shop.hold(show, "bob");
  desk.stripe.pay(one);
  await hear(desk.stripe, intake, desk.stripe.event(one, "checkout.session.completed"));
  await until(async () => (await desk.stateOf(show)) === "r");
  expect(desk.stripe.sessions.filter((s) => s.ref === one.ref)).toHaveLength(1);
  expect(desk.refundsOf(show)).toEqual([one.ref]);
});

test("[PAY9] at the hold's deadline its session is expired at the provider, and only then the hold ends", async () => {
  const show = await desk.buying({ holdMs: 150 });
  desk.stripeCashier(show);
  const one = await desk.session(show);
  await until(() => one.status === "expired");
  await until(async () => (await desk.stateOf(show)) === "x");
  expect(desk.stripe.pay(one)).toBe(false);
  await until(() => desk.isQuiet(show));
  await desk.shop.checkBooks(show);
});

test("[F4] through the provider: paid within the grace sells, paid after it takes the unit again, or goes back once", async () => {
  const inGrace = await desk.buying({ holdMs: 2500 });
  const again = await desk.buying();
  const gone = await desk.buying({ allotment: 1 });
  const intakes = new Map<string, Intake>();
  for (const show of [inGrace, again, gone]) intakes.set(show, desk.stripeCashier(show));
  for (const show of [inGrace, again, gone]) await desk.session(show);
  // On its way when the deadline came: complete before the session could be expired.
  desk.stripe.pay(await desk.session(inGrace));
  await until(async () => (await desk.stateOf(inGrace)) === "s", 15_000);
  for (const show of [again, gone]) await desk.lapse(show);
  await desk.shop.hold(gone, "bob");
  for (const show of [again, gone]) {
    const one = await desk.session(show);
    desk.stripe.pay(one);
    await hear(
      desk.stripe,
      intakes.get(show) as Intake,
      desk.stripe.event(one, "checkout.session.completed"),
    );
  }
  expect(await desk.stateOf(again)).toBe("s");
  expect(await desk.kindsOf(again)).toEqual(["allotted", "held", "expired", "reheld", "sold"]);
  await until(async () => (await desk.stateOf(gone)) === "r");
  expect(desk.refundsOf(gone)).toHaveLength(1);
  expect([...desk.refundsOf(again), ...desk.refundsOf(inGrace)]).toEqual([]);
  for (const show of [inGrace, again, gone]) await desk.shop.checkBooks(show);
});

const TYPES = [
  "checkout.session.completed",
  "checkout.session.completed",
  "payment_intent.succeeded",
  "payment_intent.created",
  "payment_intent.payment_failed",
  "checkout.session.expired",
  "checkout.session.async_payment_failed",
] as const;

test("[F5][PAY10] a paid charge ends the same for every order, repeat and loss of its events: one charge, one sale or one refund", async () => {
  const history = fc.record({
    order: fc
      .shuffledSubarray([...TYPES], { minLength: 1 })
      .filter(
        (types) =>
          types.includes("checkout.session.completed") ||
          types.includes("payment_intent.succeeded"),
      ),
    repeats: fc.array(fc.nat(6), { maxLength: 4 }),
    together: fc.boolean(),
    isGone: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(history, async ({ order, repeats, together, isGone }) => {
      const show = await desk.buying({ allotment: 1 });
      const intake = desk.stripeCashier(show);
      const one = await desk.session(show);
      if (isGone) {
        await desk.lapse(show);
        await desk.shop.hold(show, "bob");
      }
      desk.stripe.pay(one);
      const events = order.map((type) => desk.stripe.event(one, type));
      const all = [...events, ...repeats.map((i) => events[i % events.length] as StripeEvent)];
      if (together) await Promise.all(all.map((event) => hear(desk.stripe, intake, event)));
      else for (const event of all) await hear(desk.stripe, intake, event);
      const due = isGone ? "r" : "s";
      await until(async () => (await desk.stateOf(show)) === due && (await desk.isQuiet(show)));
      expect(await desk.ordersOf(show)).toHaveLength(isGone ? 0 : 1);
      expect(desk.refundsOf(show)).toHaveLength(isGone ? 1 : 0);
      expect(desk.stripe.sessions.filter((s) => s.ref.startsWith(`${show}/`))).toHaveLength(1);
      await desk.shop.checkBooks(show);
      await desk.clear();
    }),
    { numRuns: 40, interruptAfterTimeLimit: 8000 },
  );
});

test("[PAY11] money that comes twice for one hold: the second charge goes back, once", async () => {
  const show = await desk.buying();
  const intake = desk.stripeCashier(show);
  const first = await desk.session(show);
  await hear(desk.stripe, intake, desk.stripe.event(first, "checkout.session.expired"));
  await until(async () => (await desk.stateOf(show)) === "h");
  await desk.shop.ask(show, { what: "pay", viewerId: "ann" });
  const second = await until(() =>
    desk.stripe.sessions.find((s) => s.ref.startsWith(`${show}/`) && s !== first),
  );
  desk.stripe.pay(second);
  await hear(desk.stripe, intake, desk.stripe.event(second, "checkout.session.completed"));
  desk.stripe.pay(first);
  await hear(desk.stripe, intake, desk.stripe.event(first, "checkout.session.completed"));
  await hear(desk.stripe, intake, desk.stripe.event(first, "payment_intent.succeeded"));
  await until(() => desk.refundsOf(show).length === 1);
  await until(() => desk.isQuiet(show));
  expect(desk.refundsOf(show)).toEqual([first.ref]);
  expect((await desk.ordersOf(show)).map(({ state, chargeId }) => [state, chargeId])).toEqual([
    ["sold", second.ref.split("/")[1]],
  ]);
  expect(await desk.stateOf(show)).toBe("s");
});

test("[F7] a cashier that dies while the buyer pays: the next one asks the same session", async () => {
  const show = await desk.buying();
  desk.stripeCashier(show);
  const one = await desk.session(show);
  await desk.clear();
  desk.stripe.pay(one);
  desk.stripeCashier(show);
  await until(async () => (await desk.stateOf(show)) === "s" && (await desk.isQuiet(show)));
  expect(desk.stripe.sessions.filter((s) => s.ref === one.ref)).toHaveLength(1);
});

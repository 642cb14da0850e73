/** Cashiers with a provider shaped like Stripe, or with the sandbox, on a throwaway Redis: for tests of payments and returns. */
import { pino } from "pino";
import { sign } from "../../server/outbox/signature.ts";
import { createHostedAdapter } from "../../server/payments/hosted.ts";
import { createIntake, type Intake } from "../../server/payments/intake.ts";
import { createStripe, readStripeEvent } from "../../server/payments/stripe.ts";
import { connectRedis } from "../../server/redis/connect.ts";
import { showKeys } from "../../server/redis/keys.ts";
import { type Cashier, type PaymentAdapter, startCashier } from "../../server/shop/cashier.ts";
import type { NewDrop } from "../../server/shop/inventory.ts";
import { readLedger } from "./books.ts";
import { until } from "./rooms.ts";
import { type Shop, startShop } from "./shop.ts";
import { type FakeStripe, type StripeEvent, type StripeSession, startStripe } from "./stripe.ts";

export interface OrderRecord {
  readonly orderId: string;
  readonly state: string;
  readonly chargeId: string;
}

export interface CashDesk {
  readonly shop: Shop;
  readonly stripe: FakeStripe;
  cashier(adapter: PaymentAdapter, show: string): Cashier;
  /** A cashier with the Stripe-shaped adapter. @param pollMs long (default): only events tell */
  stripeCashier(show: string, pollMs?: number): Intake;
  /** A show in which `ann` has tapped pay. */
  buying(terms?: Partial<NewDrop>, quantity?: number): Promise<string>;
  /** The session opened for the show's first charge, once it is remembered in Redis. */
  session(show: string): Promise<StripeSession>;
  stateOf(show: string, field?: string): Promise<string | undefined>;
  ordersOf(show: string): Promise<OrderRecord[]>;
  /** No charge and no refund is under way. */
  isQuiet(show: string): Promise<boolean>;
  refundsOf(show: string): string[];
  kindsOf(show: string): Promise<string[]>;
  /** Ann's hold has ended, its grace too. */
  lapse(show: string): Promise<void>;
  /** Ends the cashiers of one test; the next ones have the same names. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

export async function openCashDesk(): Promise<CashDesk> {
  const shop = await startShop({ fsyncAlways: false });
  const stripe = await startStripe();
  const { redis } = shop;
  const parts: { stop(): Promise<void> }[] = [];

  const cashier: CashDesk["cashier"] = (adapter, show) => {
    const one = startCashier({
      redis,
      blocking: connectRedis(shop.server.url, "blocking"),
      inventory: shop.nodes[0],
      adapter,
      consumer: "control-0",
      shows: () => [show],
      currencyOf: async () => "CNY",
      maxInFlight: 1000,
      log: pino({ level: "silent" }),
    });
    parts.push(one);
    return one;
  };
  const stateOf: CashDesk["stateOf"] = async (show, field = "ann|k") =>
    (await redis.hget(showKeys(show).holds, field))?.split("|")[2];
  return {
    shop,
    stripe,
    cashier,
    stateOf,
    stripeCashier(show, pollMs = 60_000) {
      const provider = createStripe({
        apiUrl: stripe.url,
        secretKey: stripe.secretKey,
        returnUrl: "http://shop.example/{show}",
        timeoutMs: 1000,
      });
      const hosted = createHostedAdapter({ provider, redis, pollMs });
      parts.push(hosted);
      cashier(hosted, show);
      return createIntake({
        redis,
        inventory: shop.nodes[1],
        onOutcome: hosted.heard,
        onRefund: () => undefined,
      });
    },
    async buying(terms = {}, quantity = 1) {
      const show = await shop.open({ allotment: 5, perBuyerLimit: 5, ...terms });
      await shop.hold(show, "ann", { quantity });
      await shop.ask(show, { what: "pay", viewerId: "ann" });
      return show;
    },
    async session(show) {
      await until(() => redis.hget(showKeys(show).charges, "@ann|k"));
      return until(() => stripe.sessionOf(show));
    },
    ordersOf: async (show) =>
      (await redis.hvals(showKeys(show).orders)).map((json) => JSON.parse(json) as OrderRecord),
    isQuiet: async (show) => (await redis.xpending(showKeys(show).payments, "cashier"))[0] === 0,
    refundsOf: (show) => stripe.refunds.filter((ref) => ref.startsWith(`${show}/`)),
    kindsOf: async (show) => (await readLedger(redis, show)).map(({ kind }) => kind),
    async lapse(show) {
      await redis.zadd(showKeys(show).overdue, 1, "ann|k");
      await shop.nodes[0].sweep(show);
      if ((await stateOf(show)) !== "x") throw new Error("the hold has not ended");
    },
    async clear() {
      for (const part of parts.splice(0).toReversed()) await part.stop();
      stripe.fault = () => undefined;
    },
    async stop() {
      await stripe.stop();
      await shop.stop();
    },
  };
}

/** An event as it comes by HTTP: signed, read, and heard. */
export async function hear(stripe: FakeStripe, intake: Intake, event: StripeEvent): Promise<void> {
  const body = Buffer.from(JSON.stringify(event));
  const nowS = Date.now() / 1000;
  const signature = sign(body, stripe.webhookSecret, nowS);
  const told = readStripeEvent({ body, signature, secret: stripe.webhookSecret, nowS });
  if (told === "forged") throw new Error("forged");
  if (told !== "other") await intake.hear(told);
}

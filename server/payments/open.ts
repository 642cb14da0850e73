/** Opens the payment provider that PAYMENTS names, and its ear for what it tells by events. */
import type { Redis } from "ioredis";
import type { Config } from "../config.ts";
import type { Part } from "../lifecycle.ts";
import { Refusal } from "../refusal.ts";
import type { PaymentAdapter } from "../shop/cashier.ts";
import type { Inventory } from "../shop/inventory.ts";
import { createSandbox } from "../shop/sandbox.ts";
import { createHostedAdapter } from "./hosted.ts";
import { createIntake, type Intake, type Told } from "./intake.ts";
import { createStripe, readStripeEvent } from "./stripe.ts";

export interface Payments extends Part {
  readonly provider: "sandbox" | "stripe";
  readonly adapter: PaymentAdapter;
  /** How many may be under way: many, where each waits for a person. */
  readonly maxInFlight: number;
  readonly intake: Intake;
  /** Reads a webhook of the provider; the sandbox sends none. */
  readonly readEvent: (body: Uint8Array, headers: Headers) => Told | "forged" | "other";
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

export interface PaymentsPorts {
  readonly config: Config;
  readonly redis: Redis;
  readonly inventory: Pick<Inventory, "decide">;
  readonly onRefund: (show: string) => void;
}

const POLL_MS = 5000;
const CALL_TIMEOUT_MS = 10_000;
const MAX_WAITING = 10_000;

/** @throws Refusal when a setting is missing */
export function openPayments(ports: PaymentsPorts): Payments {
  return ports.config.payments === "stripe" ? openStripe(ports) : openSandbox(ports);
}

function openSandbox({ config, redis, inventory, onRefund }: PaymentsPorts): Payments {
  const intake = createIntake({ redis, inventory, onRefund, onOutcome: () => undefined });
  let told = 0;
  const adapter = createSandbox(config.paySandboxDelayMs, {
    tell: async (ref, outcome) => {
      await intake.hear({ ref, outcome, eventId: `sandbox-${process.pid}-${++told}` });
    },
  });
  return {
    name: "payments",
    provider: "sandbox",
    adapter,
    intake,
    maxInFlight: 64,
    readEvent: () => "forged",
    stop: async () => undefined,
  };
}

function openStripe({ config, redis, inventory, onRefund }: PaymentsPorts): Payments {
  const { stripeSecretKey, stripeWebhookSecret, port } = config;
  if (stripeSecretKey === undefined || stripeWebhookSecret === undefined)
    throw new Refusal(
      "PAYMENTS=stripe needs STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET: set both",
    );
  const provider = createStripe({
    apiUrl: config.stripeApiUrl,
    secretKey: stripeSecretKey,
    returnUrl: config.paymentReturnUrl ?? `http://localhost:${port}/watch/{show}`,
    timeoutMs: CALL_TIMEOUT_MS,
  });
  const hosted = createHostedAdapter({ provider, redis, pollMs: POLL_MS });
  return {
    name: "payments",
    provider: "stripe",
    adapter: hosted,
    intake: createIntake({ redis, inventory, onRefund, onOutcome: hosted.heard }),
    maxInFlight: MAX_WAITING,
    readEvent(body, { "stripe-signature": header }) {
      const signature = typeof header === "string" ? header : undefined;
      return readStripeEvent({
        body,
        signature,
        secret: stripeWebhookSecret,
        nowS: Date.now() / 1000,
      });
    },
    stop: hosted.stop,
  };
}

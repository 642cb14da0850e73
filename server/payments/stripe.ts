/**
 * Payments by Stripe Checkout, over its HTTP API (or what behaves like it, STRIPE_API_URL). Uses five calls: create, read and
 * expire a checkout session, read it once more for its payment, refund that. Every changing call carries an idempotency key.
 * Source: docs.stripe.com/api (checkout sessions, refunds, idempotent requests, errors), docs.stripe.com/webhooks (signatures).
 */
import { z } from "zod";
import { verifyDropcastSignature } from "../outbox/signature.ts";
import type { Charge, Refund } from "../shop/cashier.ts";
import type { Outcome } from "../shop/sandbox.ts";
import type { HostedProvider, SessionState } from "./hosted.ts";
import type { Told } from "./intake.ts";

export interface StripePorts {
  readonly apiUrl: string;
  readonly secretKey: string;
  /** Where buyers come back to; `{show}` is filled in. */
  readonly returnUrl: string;
  readonly timeoutMs: number;
}

const REF = "dropcast_ref";
/** Currencies whose smallest unit is the main one: Stripe counts them in it, we in hundredths. Source: docs.stripe.com/currencies */
const ZERO_DECIMAL = new Set(
  "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF".split(" "),
);

const CheckoutSession = z.object({
  id: z.string(),
  url: z.string().nullish(),
  status: z.enum(["open", "complete", "expired"]).nullish(),
  payment_status: z.enum(["paid", "unpaid", "no_payment_required"]).nullish(),
  payment_intent: z.string().nullish(),
});
type CheckoutSession = z.output<typeof CheckoutSession>;
const Problem = z.object({
  error: z.object({
    type: z.string().nullish(),
    code: z.string().nullish(),
    message: z.string().nullish(),
  }),
});

class StripeProblem extends Error {
  override readonly name = "StripeProblem";
  readonly status: number;
  readonly type: string;
  readonly code: string;
  constructor(status: number, body: unknown) {
    const error = Problem.safeParse(body).data?.error;
    super(`Stripe answers ${status} ${error?.type ?? ""} ${error?.code ?? ""}`.trim());
    this.status = status;
    this.type = error?.type ?? "";
    this.code = error?.code ?? "";
  }
}

export function createStripe({
  apiUrl,
  secretKey,
  returnUrl,
  timeoutMs,
}: StripePorts): HostedProvider {
  const call = async (
    path: string,
    form?: Readonly<Record<string, string>>,
    idempotencyKey?: string,
  ): Promise<unknown> => {
    const response = await fetch(`${apiUrl.replace(/\/$/, "")}/v1/${path}`, {
      method: form === undefined ? "GET" : "POST",
      headers: {
        authorization: `Bearer ${secretKey}`,
        "stripe-version": "2024-06-20",
        ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      },
      ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body: unknown = await response.json();
    if (!response.ok) throw new StripeProblem(response.status, body);
    return body;
  };
  const read = async (id: string): Promise<CheckoutSession> =>
    CheckoutSession.parse(await call(`checkout/sessions/${encodeURIComponent(id)}`));

  return {
    async open({ ref, cents, currency }: Charge) {
      const amount = amountOf(cents, currency);
      if (amount === undefined) return "refused";
      const back = returnUrl.replaceAll("{show}", ref.slice(0, ref.indexOf("/")));
      const form = {
        mode: "payment",
        client_reference_id: ref,
        [`metadata[${REF}]`]: ref,
        [`payment_intent_data[metadata][${REF}]`]: ref,
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": currency.toLowerCase(),
        "line_items[0][price_data][unit_amount]": String(amount),
        "line_items[0][price_data][product_data][name]": "Dropcast",
        success_url: back,
        cancel_url: back,
      };
      try {
        const { id, url } = CheckoutSession.parse(await call("checkout/sessions", form, ref));
        return { id, url: url ?? null };
      } catch (fault) {
        if (isRefusal(fault)) return "refused";
        throw fault;
      }
    },
    look: async (id) => stateOf(await read(id)),
    async expire(id) {
      try {
        const path = `checkout/sessions/${encodeURIComponent(id)}/expire`;
        return stateOf(CheckoutSession.parse(await call(path, {}, `expire/${id}`)));
      } catch (fault) {
        // Not open any more: paid or expired meanwhile.
        if (!(fault instanceof StripeProblem) || fault.status !== 400) throw fault;
        return stateOf(await read(id));
      }
    },
    async refund(id, { ref, cents }: Refund) {
      const { payment_intent: payment } = await read(id);
      if (typeof payment !== "string")
        throw new Error("a session that was paid has no payment yet");
      try {
        await call(
          "refunds",
          { payment_intent: payment, [`metadata[${REF}]`]: ref, reason: "requested_by_customer" },
          `refund/${ref}/${cents}`,
        );
      } catch (fault) {
        if (!(fault instanceof StripeProblem) || fault.code !== "charge_already_refunded")
          throw fault;
      }
    },
  };
}

/** In the smallest unit as Stripe counts it; undefined when it cannot be said in it. */
function amountOf(cents: number, currency: string): number | undefined {
  if (!ZERO_DECIMAL.has(currency)) return cents;
  return cents % 100 === 0 ? cents / 100 : undefined;
}

/** A request that will never be taken, as against our key, our rate or our repeat being wrong. */
const isRefusal = (fault: unknown): boolean =>
  fault instanceof StripeProblem &&
  (fault.status === 400 || fault.status === 402) &&
  fault.type !== "idempotency_error";

function stateOf({ status, payment_status: paid }: CheckoutSession): SessionState {
  if (paid === "paid" || paid === "no_payment_required") return "paid";
  return status === "expired" ? "failed" : "open";
}

const StripeEvent = z.object({
  id: z.string().min(1).max(255),
  type: z.string(),
  data: z.object({
    object: z.object({
      client_reference_id: z.string().nullish(),
      payment_status: z.string().nullish(),
      metadata: z.record(z.string(), z.string()).nullish(),
    }),
  }),
});

/** A failed card is not among them: within its session the buyer may try another. */
const OUTCOMES: Readonly<Record<string, Outcome>> = {
  "checkout.session.completed": "paid",
  "checkout.session.async_payment_succeeded": "paid",
  "checkout.session.async_payment_failed": "failed",
  "checkout.session.expired": "failed",
  "payment_intent.succeeded": "paid",
};

export interface StripeWebhook {
  readonly body: Uint8Array;
  /** Header `stripe-signature`. */
  readonly signature: string | undefined;
  readonly secret: string;
  readonly nowS: number;
}

/** @returns "forged"; "other" for an event that says nothing about a charge of ours */
export function readStripeEvent({
  body,
  signature,
  secret,
  nowS,
}: StripeWebhook): Told | "forged" | "other" {
  if (!verifyDropcastSignature(body, signature, secret, nowS)) return "forged";
  const event = StripeEvent.safeParse(parsed(body)).data;
  const outcome = event === undefined ? undefined : OUTCOMES[event.type];
  if (event === undefined || outcome === undefined) return "other";
  const { metadata, client_reference_id: reference, payment_status: paid } = event.data.object;
  const ref = metadata?.[REF] ?? reference ?? undefined;
  // Complete, but the bank has not paid yet: async_payment_… will tell.
  const isPending = event.type === "checkout.session.completed" && paid === "unpaid";
  return ref === undefined || isPending ? "other" : { ref, outcome, eventId: event.id };
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    // Signed, yet no JSON: nothing that we know.
    return undefined;
  }
}

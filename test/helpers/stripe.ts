/**
 * A payment provider that behaves like Stripe's API where Dropcast touches it: checkout sessions, refunds, idempotency keys, signed
 * events. A real HTTP server with a memory of its own; faults and events are the test's to order.
 */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { sign } from "../../server/outbox/signature.ts";

export interface StripeSession {
  readonly id: string;
  readonly ref: string;
  readonly amount: number;
  readonly currency: string;
  status: "open" | "complete" | "expired";
  paid: "paid" | "unpaid";
}

export interface StripeEvent {
  readonly id: string;
  readonly type: string;
  readonly data: { readonly object: object };
}

/** What a request meets: "lost": carried out, but the answer never arrives; a status: refused; undefined: nothing. */
export type StripeFault = "lost" | number | undefined;

export interface FakeStripe {
  readonly url: string;
  readonly secretKey: string;
  readonly webhookSecret: string;
  readonly sessions: readonly StripeSession[];
  /** One line per refund that was carried out: the session's reference. */
  readonly refunds: readonly string[];
  /** Requests as `POST /v1/checkout/sessions`, repeats included. */
  readonly requests: readonly string[];
  fault: (request: string) => StripeFault;
  /** From now on no request is answered; they are carried out when it ends, whoever still waits. */
  stall(): { readonly end: () => void };
  sessionOf(show: string): StripeSession | undefined;
  /** The buyer pays. @returns false when the session is not open */
  pay(session: StripeSession): boolean;
  event(session: StripeSession, type: string): StripeEvent;
  /** Sends an event, signed. @returns the status */
  send(
    to: string,
    event: StripeEvent,
    forge?: Partial<{ secret: string; atS: number }>,
  ): Promise<number>;
  stop(): Promise<void>;
}

export async function startStripe(): Promise<FakeStripe> {
  const secretKey = "sk_test_123";
  const webhookSecret = "whsec_test_456";
  const sessions: StripeSession[] = [];
  const refunds: string[] = [];
  const requests: string[] = [];
  const answers = new Map<string, { readonly form: string; readonly answer: Answer }>();
  let events = 0;
  let stalled: Promise<void> = Promise.resolve();

  const stripe: FakeStripe = {
    get url() {
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    secretKey,
    webhookSecret,
    sessions,
    refunds,
    requests,
    fault: () => undefined,
    stall() {
      const { promise, resolve } = Promise.withResolvers<void>();
      stalled = promise;
      return { end: resolve };
    },
    sessionOf: (show) => sessions.find(({ ref }) => ref.startsWith(`${show}/`)),
    pay(session) {
      if (session.status !== "open") return false;
      Object.assign(session, { status: "complete", paid: "paid" });
      return true;
    },
    event: (session, type) => ({
      id: `evt_${++events}`,
      type,
      data: { object: type.startsWith("payment_intent") ? paymentOf(session) : shown(session) },
    }),
    async send(to, event, { secret = webhookSecret, atS = Date.now() / 1000 } = {}) {
      const body = JSON.stringify({ object: "event", created: 1, ...event });
      const response = await fetch(`${to}/v1/payments/webhooks/stripe`, {
        method: "POST",
        headers: {
          "content-type": "application/json; charset=utf-8",
          "stripe-signature": `${sign(body, secret, atS)},v0=00`,
        },
        body,
      });
      await response.text();
      return response.status;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  const open = (form: URLSearchParams): Answer => {
    const field = (name: string): string => form.get(name) ?? "";
    const amount = Number(field("line_items[0][price_data][unit_amount]"));
    if (amount <= 0 || field("success_url") === "") return problem(400, "parameter_invalid");
    const made: StripeSession = {
      id: `cs_${sessions.length + 1}`,
      ref: field("metadata[dropcast_ref]"),
      amount,
      currency: field("line_items[0][price_data][currency]"),
      status: "open",
      paid: "unpaid",
    };
    sessions.push(made);
    return [200, shown(made)];
  };
  const refund = (form: URLSearchParams): Answer => {
    const of = sessions.find((one) => `pi_${one.id}` === form.get("payment_intent"));
    if (of?.paid !== "paid") return problem(400, "charge_not_found");
    if (refunds.includes(of.ref)) return problem(400, "charge_already_refunded");
    refunds.push(of.ref);
    return [200, { id: `re_${refunds.length}`, status: "succeeded" }];
  };
  const act = (name: string, form: URLSearchParams): Answer => {
    if (name === "POST /v1/checkout/sessions") return open(form);
    if (name === "POST /v1/refunds") return refund(form);
    const [, id, verb] = /^\w+ \/v1\/checkout\/sessions\/([^/]+)(?:\/(\w+))?$/.exec(name) ?? [];
    const session = sessions.find((one) => one.id === id);
    if (session === undefined) return problem(404, "resource_missing");
    if (verb === undefined) return [200, shown(session)];
    if (session.status !== "open") return problem(400, "session_not_open");
    session.status = "expired";
    return [200, shown(session)];
  };
  const answerTo = (request: IncomingMessage, body: string): Answer => {
    const { method = "GET", url = "", headers } = request;
    if (headers.authorization !== `Bearer ${secretKey}`) return problem(401, "api_key_invalid");
    const key = headers["idempotency-key"];
    if (method === "POST" && typeof key !== "string") return problem(400, "no_key_in_this_test");
    const known = answers.get(String(key));
    // As Stripe does: the first answer again, and an error if the request is another one.
    if (method === "POST" && known !== undefined)
      return known.form === body ? known.answer : [400, { error: { type: "idempotency_error" } }];
    const answer = act(`${method} ${url}`, new URLSearchParams(body));
    if (method === "POST") answers.set(String(key), { form: body, answer });
    return answer;
  };
  const server = createServer((request, response) => {
    void text(request).then(async (body) => {
      await stalled;
      const name = `${request.method} ${request.url}`;
      requests.push(name);
      const fault = stripe.fault(name);
      if (typeof fault === "number") return response.writeHead(fault).end("{}");
      const [status, answer] = answerTo(request, body);
      if (fault === "lost") return response.destroy();
      return response
        .writeHead(status, { "content-type": "application/json" })
        .end(JSON.stringify(answer));
    });
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return stripe;
}

type Answer = readonly [status: number, body: object];

const problem = (status: number, code: string): Answer => [
  status,
  { error: { type: "invalid_request_error", code } },
];

const shown = ({ id, ref, status, paid, amount, currency }: StripeSession): object => ({
  id,
  object: "checkout.session",
  url: `https://checkout.example/${id}`,
  client_reference_id: ref,
  metadata: { dropcast_ref: ref },
  amount_total: amount,
  currency,
  status,
  payment_status: paid,
  payment_intent: paid === "paid" ? `pi_${id}` : null,
});

const paymentOf = ({ id, ref, amount }: StripeSession): object => ({
  id: `pi_${id}`,
  object: "payment_intent",
  amount,
  metadata: { dropcast_ref: ref },
});

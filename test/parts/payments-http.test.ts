/** Webhooks in and out over the real control process: what is registered, refused, signed, and shown to the operator. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createInventory, type Inventory } from "../../server/shop/inventory.ts";
import { type ControlWorld, idOf, refused, startControlWorld } from "../helpers/control.ts";
import { type Receiver, startReceiver } from "../helpers/receiver.ts";
import { until } from "../helpers/rooms.ts";
import { type FakeStripe, startStripe } from "../helpers/stripe.ts";

let world: ControlWorld;
let stripe: FakeStripe;
let shop: Inventory;
const receivers: Receiver[] = [];
let secret = "";
beforeAll(async () => {
  stripe = await startStripe();
  world = await startControlWorld({
    PAYMENTS: "stripe",
    STRIPE_API_URL: stripe.url,
    STRIPE_SECRET_KEY: stripe.secretKey,
    STRIPE_WEBHOOK_SECRET: stripe.webhookSecret,
  });
  shop = createInventory(world.store);
});
afterEach(async () => {
  await Promise.all(receivers.splice(0).map((one) => one.stop()));
});
afterAll(async () => {
  await world.stop();
  await stripe.stop();
});

async function receiver(): Promise<Receiver> {
  const one = await startReceiver(() => secret);
  receivers.push(one);
  return one;
}

/** A live show in which `ann` pays for one unit. @returns its path */
async function buying(): Promise<string> {
  const path = await world.show();
  await world.call(`POST ${path}/start`);
  const drop = { sku: "tea", priceCents: 4900, allotment: 3 };
  const { dropId } = (await world.call(`POST ${path}/drops`, { body: drop })).body as unknown as {
    dropId: string;
  };
  const ann = { viewerId: "ann", key: "k" };
  await shop.decide(idOf(path), [
    { what: "hold", ...ann, dropId, quantity: 1 },
    { what: "pay", ...ann, dropId: "", quantity: 0 },
  ]);
  return path;
}

test("[PAY14] a purchase and its return, from the provider's signed events to the shop's signed webhooks", async () => {
  const to = await receiver();
  const made = (await world.call("POST /v1/webhooks", { body: { url: to.url } }))
    .body as unknown as {
    id: string;
    secret: string;
  };
  ({ secret } = made);
  const path = await buying();
  const show = idOf(path);
  const session = await until(() => stripe.sessionOf(show));
  const token = await world.tokens.sign({ show, viewerId: "ann", role: "viewer", name: "ann" });
  const checkout = await until(async () => {
    const answer = await world.call(`GET ${path}/holds/k/checkout`, { bearer: token });
    return answer.status === 200 ? answer : undefined;
  });
  expect(JSON.parse(checkout.text)).toEqual({ url: `https://checkout.example/${session.id}` });
  stripe.pay(session);
  const paid = stripe.event(session, "checkout.session.completed");
  for (let i = 0; i < 3; i++) expect(await stripe.send(world.url, paid)).toBe(200);
  expect(await stripe.send(world.url, stripe.event(session, "checkout.session.expired"))).toBe(200);
  refused(await world.call(`GET ${path}/holds/k/checkout`, { bearer: token }), 404, "noCheckout");
  const back = await world.call(`POST ${path}/orders/D000001/refund`, {
    body: { reason: "broken" },
  });
  expect(back.status, back.text).toBe(200);
  await until(() => to.taken.some(({ type }) => type === "order.refunded"));
  const told = to.taken.filter(({ data }) => data["viewerId"] === "ann").map(({ type }) => type);
  expect(told).toEqual(["order.held", "order.paid", "order.refunded"]);
  expect(to.forged).toBe(0);
  expect(stripe.refunds).toEqual([session.ref]);
  refused(await world.call(`POST ${path}/orders/D000009/refund`, { body: {} }), 404, "noOrder");
  refused(
    await world.call(`POST ${path}/orders/D000001/refund`, { bearer: token, body: {} }),
    403,
    "notAllowed",
  );
  await world.call(`DELETE /v1/webhooks/${made.id}`);
});

test("[PAY15] forged, old and foreign events of a provider change nothing", async () => {
  const path = await buying();
  const session = await until(() => stripe.sessionOf(idOf(path)));
  const event = stripe.event(session, "checkout.session.completed");
  expect(await stripe.send(world.url, event, { secret: "wrong" })).toBe(400);
  expect(await stripe.send(world.url, event, { atS: Date.now() / 1000 - 301 })).toBe(400);
  const unsigned = await fetch(`${world.url}/v1/payments/webhooks/stripe`, {
    method: "POST",
    body: JSON.stringify(event),
  });
  expect(unsigned.status).toBe(400);
  expect((await unsigned.json()) as object).toMatchObject({ error: { code: "badSignature" } });
  refused(
    await world.call("POST /v1/payments/webhooks/paypal", { body: event }),
    404,
    "noProvider",
  );
  const foreign = { ...session, ref: "nowhere/1-1" };
  expect(await stripe.send(world.url, stripe.event(foreign, "checkout.session.completed"))).toBe(
    200,
  );
  const { orders } = (await world.call(`GET ${path}/orders`)).body as unknown as { orders: [] };
  expect(orders).toEqual([]);
  // Nobody has used up the real event's id meanwhile.
  stripe.pay(session);
  const real = { ...stripe.event(session, event.type), id: event.id };
  expect(await stripe.send(world.url, real)).toBe(200);
  await until(async () => (await world.call(`GET ${path}/orders`)).text.includes("D000001"));
});

test("[OUT11] webhooks are registered, shown with their delivery, replayed and removed; wrong ones are named", async () => {
  const to = await receiver();
  secret = "my own secret, long enough";
  const body = { url: to.url, types: ["show.started"], secret };
  const { id } = (await world.call("POST /v1/webhooks", { body })).body as unknown as {
    id: string;
  };
  await world.call(`POST ${await world.show()}/start`);
  await until(() => to.taken.length > 0);
  const list = async () =>
    (
      (await world.call("GET /v1/webhooks")).body as unknown as {
        webhooks: Record<string, unknown>[];
      }
    ).webhooks;
  const one = await until(async () =>
    (await list()).find((w) => w["id"] === id && w["waiting"] === 0),
  );
  expect(one).toMatchObject({ url: to.url, types: ["show.started"], failures: 0 });
  expect(one).not.toHaveProperty("secret");
  const { length } = to.taken;
  const again = await world.call(`POST /v1/webhooks/${id}/replay`, { body: { sinceMs: 0 } });
  expect(again.status).toBe(202);
  await until(() => to.taken.length >= 2 * length);
  refused(
    await world.call(`POST /v1/webhooks/${id}/replay`, { body: { fromId: "x.y" } }),
    404,
    "noEvent",
  );
  refused(
    await world.call("POST /v1/webhooks/wh_000000000000/replay", { body: { sinceMs: 0 } }),
    404,
    "noWebhook",
  );
  for (const url of ["ftp://shop/", "http://169.254.169.254/latest/meta-data", "https://u:p@shop/"])
    expect(
      refused(await world.call("POST /v1/webhooks", { body: { url } }), 400, "wrongBody").field,
    ).toBe("url");
  refused(await world.call("GET /v1/webhooks", { bearer: "" }), 401, "noToken");
  expect((await world.call(`DELETE /v1/webhooks/${id}`)).status).toBe(204);
  refused(await world.call(`DELETE /v1/webhooks/${id}`), 404, "noWebhook");
  expect(await list()).toEqual([]);
  const ops = (await world.call("GET /metrics")).text;
  await until(
    async () =>
      (await world.call("GET /metrics")).text.includes("dropcast_node_webhooks_delivered") ||
      ops === "",
  );
});

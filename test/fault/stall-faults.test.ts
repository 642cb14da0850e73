/** Those whom the server depends on stand still: the payment provider for 30 s, the shop's back end, and control itself is killed. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Buyer } from "../helpers/buyers.ts";
import { type Fleet, startFleet } from "../helpers/fleet.ts";
import { type Receiver, startReceiver } from "../helpers/receiver.ts";
import { until } from "../helpers/rooms.ts";
import { type FakeStripe, startStripe } from "../helpers/stripe.ts";

const SECRET = "a-secret-of-the-shop-0123456789";
const STALL_MS = 30_000;
const HOLD_MS = 9000;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let fleet: Fleet;
let stripe: FakeStripe;
let up: Receiver;
let down: Receiver;
beforeAll(async () => {
  stripe = await startStripe();
  fleet = await startFleet({
    env: {
      PAYMENTS: "stripe",
      STRIPE_API_URL: stripe.url,
      STRIPE_SECRET_KEY: stripe.secretKey,
      STRIPE_WEBHOOK_SECRET: stripe.webhookSecret,
    },
  });
  [up, down] = await Promise.all([startReceiver(() => SECRET), startReceiver(() => SECRET)]);
  for (const { url } of [up, down])
    await fleet.shop.call("POST", "/v1/webhooks", { url, secret: SECRET });
});
afterAll(async () => {
  await fleet.stop();
  await Promise.all([stripe.stop(), up.stop(), down.stop()]);
});

/** The session that a buyer's page leads to. */
async function sessionOf(show: string, { viewerId }: Buyer): Promise<string> {
  const token = await fleet.shop.token(show, viewerId);
  const answer = await fetch(`${fleet.server.httpUrl}/v1/shows/${show}/holds/k/checkout`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { url } = (await answer.json()) as { url: string };
  return url.slice(url.lastIndexOf("/") + 1);
}

test("[FAULT14][F4][F5][F7] the payment provider stands still for 30 s, the shop's back end is down and control is killed: each payment ends once, units come back, and the shop ends where it would have been", async () => {
  const show = await fleet.shop.show(300);
  const dropId = await fleet.shop.drop(show, { allotment: 30, perBuyerLimit: 2, holdMs: HOLD_MS });
  const crowd = await fleet.crowd(show, 100);
  const buyers = await fleet.buyers(show, 24);
  const part = (from: number): readonly Buyer[] => buyers.slice(from, from + 6);
  // Will pay while the provider stands still; never pay; tap "pay" too late for the provider; never tap at all.
  const [payers, idlers, stalled] = [part(0), part(6), part(12)];
  await down.down();
  const held = await Promise.all(buyers.map((buyer) => buyer.hold(dropId, "k")));
  expect(new Set(held.map(({ result }) => result))).toEqual(new Set(["held"]));
  const paying = [...payers, ...idlers].map((buyer) => buyer.live.pay("k").catch(() => undefined));
  await until(() => stripe.sessions.length === 12, 8000);
  const rush = crowd.holdAll(dropId, { withinMs: 2000 });

  const stall = stripe.stall();
  const stalledAtMs = performance.now();
  const tooLate = stalled.map((buyer) => buyer.live.pay("k").catch(() => undefined));
  // Their buyers are on the provider's own page, which works.
  for (const buyer of payers) {
    const id = await sessionOf(show, buyer);
    const session = stripe.sessions.find((one) => one.id === id);
    expect(session !== undefined && stripe.pay(session)).toBe(true);
  }
  await rush;
  await sleep(Math.max(0, 10_000 - (performance.now() - stalledAtMs)));
  process.kill(fleet.server.pidOf("control-0"), "SIGKILL");
  await sleep(Math.max(0, 16_000 - (performance.now() - stalledAtMs)));
  await down.up();
  await sleep(Math.max(0, STALL_MS - (performance.now() - stalledAtMs)));
  stall.end();

  for (const buyer of payers)
    await until(() => buyer.live.state.orders.get("k")?.state === "sold", 30_000);
  for (const buyer of [...idlers, ...stalled, ...part(18)])
    await until(() => buyer.live.state.orders.get("k")?.state === "expired", 30_000);
  await Promise.all([...paying, ...tooLate]);
  const takingsCents =
    stripe.sessions
      .filter((one) => one.paid === "paid")
      .reduce((sum, { amount }) => sum + amount, 0) -
    stripe.sessions
      .filter(({ ref }) => stripe.refunds.includes(ref))
      .reduce((sum, { amount }) => sum + amount, 0);
  expect(takingsCents).toBe(6 * 4900);
  await fleet.check(show, { buyers, crowd, takingsCents, told: up.taken });
  await fleet.check(show, { buyers, crowd, takingsCents, told: down.taken });
}, 240_000);

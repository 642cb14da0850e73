/** The shop's back end is down for ten real minutes, while its show goes on selling; control is killed once meanwhile. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Fleet, startFleet } from "../helpers/fleet.ts";
import { finalStates, type Receiver, startReceiver } from "../helpers/receiver.ts";
import { until } from "../helpers/rooms.ts";

const SECRET = "a-secret-of-the-shop-0123456789";
const DOWN_MS = 600_000;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let fleet: Fleet;
let up: Receiver;
let down: Receiver;
beforeAll(async () => {
  fleet = await startFleet();
  [up, down] = await Promise.all([startReceiver(() => SECRET), startReceiver(() => SECRET)]);
  for (const { url } of [up, down])
    await fleet.shop.call("POST", "/v1/webhooks", { url, secret: SECRET });
});
afterAll(async () => {
  await fleet.stop();
  await Promise.all([up.stop(), down.stop()]);
});

test("[FAULT15][F7] a back end that was down for ten minutes ends with the same state as one that was up, and is not hammered meanwhile", async () => {
  const show = await fleet.shop.show(2000);
  const terms = { allotment: 1000, perBuyerLimit: 99, holdMs: 20_000 };
  const dropId = await fleet.shop.drop(show, { ...terms, endsAtMs: Date.now() + 2 * DOWN_MS });
  const buyers = await fleet.buyers(show, 12);
  await down.down();
  const downAtMs = performance.now();
  let wasKilled = false;
  for (let round = 0; performance.now() - downAtMs < DOWN_MS; round++) {
    const key = `r${round}`;
    await Promise.all(
      buyers.map(async (buyer, i) => {
        const { result } = await buyer.hold(dropId, key);
        if (result === "held" && i % 3 === 0) await buyer.pay(key);
        if (result === "held" && i % 3 === 1) await buyer.cancel(key);
      }),
    );
    if (!wasKilled && performance.now() - downAtMs > DOWN_MS / 3) {
      wasKilled = true;
      process.kill(fleet.server.pidOf("control-0"), "SIGKILL");
    }
    await sleep(10_000);
  }
  const { webhooks } = await fleet.shop.call<{
    webhooks: { url: string; failures: number; waiting: number }[];
  }>("GET", "/v1/webhooks");
  const standing = webhooks.find(({ url }) => url === down.url);
  expect(standing?.waiting).toBeGreaterThan(100);
  expect(standing?.failures).toBeLessThan(200);
  await down.up();
  await until(
    () => [...finalStates(down.taken)].length === [...finalStates(up.taken)].length,
    120_000,
  );
  await until(async () => {
    const drop = await fleet.shop.call("GET", `/v1/shows/${show}/drops/${dropId}`);
    return drop["held"] === 0;
  }, 40_000);
  await fleet.check(show, { buyers, told: up.taken });
  await fleet.check(show, { buyers, told: down.taken });
  expect(finalStates(down.taken)).toEqual(finalStates(up.taken));
  console.info(`${down.taken.length} events after ten minutes, ${standing?.failures} failed tries`);
});

/** The cashier's rules: each charge and refund is carried out once, whatever dies in between. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { connectRedis } from "../../server/redis/connect.ts";
import { showKeys } from "../../server/redis/keys.ts";
import { loadScript } from "../../server/redis/lua.ts";
import { type Cashier, type PaymentAdapter, startCashier } from "../../server/shop/cashier.ts";
import type { DropRequest, NewDrop } from "../../server/shop/inventory.ts";
import { createSandbox } from "../../server/shop/sandbox.ts";
import { readLedger } from "../helpers/books.ts";
import { until } from "../helpers/rooms.ts";
import { type Shop, startShop } from "../helpers/shop.ts";

let shop: Shop;
const folder = mkdtempSync(join(tmpdir(), "dropcast-cashier-"));
const cashiers: Cashier[] = [];
beforeAll(async () => {
  shop = await startShop({ fsyncAlways: true });
});
afterEach(async () => {
  await Promise.all(cashiers.splice(0).map((one) => one.stop()));
});
afterAll(async () => {
  await shop.stop();
  rmSync(folder, { recursive: true });
});

const open = (terms: Partial<NewDrop> = {}): Promise<string> =>
  shop.open({ allotment: 100, perBuyerLimit: 9, ...terms });

function cashier(
  adapter: PaymentAdapter,
  listed: () => Iterable<string>,
  consumer = "control-0",
): Cashier {
  const one = startCashier({
    redis: shop.redis,
    blocking: connectRedis(shop.server.url, "blocking"),
    inventory: shop.nodes[0],
    adapter,
    consumer,
    shows: listed,
    currencyOf: async () => "CNY",
    log: pino({ level: "silent" }),
  });
  cashiers.push(one);
  return one;
}

async function buy(show: string, viewerId: string, more: Partial<DropRequest> = {}): Promise<void> {
  const request = { viewerId, key: "k", dropId: "d", quantity: 1, ...more };
  await shop.nodes[0].decide(show, [
    { what: "hold", ...request },
    { what: "pay", ...request, dropId: "" },
  ]);
}

const stateOf = async (show: string, field: string): Promise<string | undefined> =>
  (await shop.redis.hget(showKeys(show).holds, field))?.split("|")[2];
const ordersOf = (show: string): Promise<number> => shop.redis.hlen(showKeys(show).orders);
const pendingOf = async (show: string): Promise<unknown> =>
  (await shop.redis.xpending(showKeys(show).payments, "cashier"))[0];

test("[PAY1] many payments at once become one order each, and the takings are their sum", async () => {
  const show = await open({ allotment: 200 });
  const sandbox = createSandbox(5);
  const one = cashier(sandbox, () => [show]);
  await Promise.all(Array.from({ length: 200 }, (_, i) => buy(show, `v${i}`)));
  await until(async () => (await ordersOf(show)) === 200);
  await until(async () => (await pendingOf(show)) === 0);
  expect(sandbox.takings).toEqual({ chargedCents: 200 * 4900, refundedCents: 0 });
  expect(one.done).toMatchObject({ paid: 200, declined: 0, refunded: 0 });
  await shop.checkBooks(show);
});

test("[PAY2] a declined payment leaves the hold as it was, and the buyer may pay again", async () => {
  const show = await open({ priceCents: 4913 });
  cashier(createSandbox(0), () => [show]);
  await buy(show, "ann");
  await until(async () => (await stateOf(show, "ann|k")) === "h");
  await shop.nodes[0].decide(show, [
    { what: "pay", viewerId: "ann", key: "k", dropId: "", quantity: 0 },
  ]);
  await until(async () => (await stateOf(show, "ann|k")) === "h" && (await pendingOf(show)) === 0);
  expect(await ordersOf(show)).toBe(0);
  await shop.checkBooks(show);
});

test("[PAY16] what is settled leaves the stream of payments after a week; what nobody has finished stays, with all that came after it", async () => {
  const show = await open();
  const { payments } = showKeys(show);
  const idsNow = async (): Promise<string[]> =>
    (await shop.redis.xrange(payments, "-", "+")).map(([id]) => id);
  const trim = loadScript(shop.redis, {
    file: new URL("../../server/payments/trim.lua", import.meta.url),
    keys: ["payments"],
    args: ["keepMs"],
    read: Number,
  });
  const take = (most: number): Promise<unknown> =>
    shop.redis.xreadgroup("GROUP", "cashier", "c", "COUNT", most, "STREAMS", payments, ">");
  const weekAgoMs = Date.now() - 8 * 24 * 3_600_000;
  const old = [1, 2, 3, 4].map((n) => `${weekAgoMs + n}-0`);
  for (const id of old) await shop.redis.xadd(payments, id, "what", "charge", "field", "v|k");
  const recent = await shop.redis.xadd(payments, "*", "what", "charge", "field", "v|k");
  const cut = (): Promise<number> => trim(showKeys(show), { keepMs: 7 * 24 * 3_600_000 });
  // Nobody has been given any of them.
  expect(await cut()).toBe(0);
  await take(3);
  await shop.redis.xack(payments, "cashier", old[0] ?? "", old[2] ?? "");
  expect(await cut()).toBe(1);
  expect(await idsNow()).toEqual([...old.slice(1), recent]);
  await shop.redis.xack(payments, "cashier", old[1] ?? "");
  // The third was given last, the fourth not yet.
  await cut();
  expect(await idsNow()).toContain(old[3]);
  await take(9);
  await shop.redis.xack(payments, "cashier", old[3] ?? "", String(recent));
  await cut();
  expect(await idsNow()).toEqual([recent]);
});

test("[F4][I5] a payment for a unit that is gone by now is refunded, once", async () => {
  const show = await open({ allotment: 1 });
  await buy(show, "ann");
  // Ann's grace ended while no cashier was there, and Bob got the unit.
  await shop.redis.zadd(showKeys(show).overdue, 1, "ann|k");
  await shop.nodes[0].sweep(show);
  await shop.nodes[0].decide(show, [
    { what: "hold", viewerId: "bob", key: "k", dropId: "d", quantity: 1 },
  ]);
  const sandbox = createSandbox(0);
  const one = cashier(sandbox, () => [show]);
  await until(async () => (await stateOf(show, "ann|k")) === "r");
  await until(async () => (await pendingOf(show)) === 0);
  expect(sandbox.takings).toEqual({ chargedCents: 4900, refundedCents: 4900 });
  expect(one.done).toMatchObject({ paid: 1, refunded: 1 });
  expect(await ordersOf(show)).toBe(0);
  await shop.checkBooks(show);
});

test("[F7] killed between the provider's answer and Redis: the next run charges nothing twice and makes one order", async () => {
  const show = await open();
  const file = join(folder, show);
  await buy(show, "ann");
  const run = (kill: "once" | "never") =>
    spawn(
      process.execPath,
      [
        fileURLToPath(new URL("cashier-process.ts", import.meta.url)),
        shop.server.url,
        show,
        file,
        kill,
      ],
      { stdio: "inherit" },
    );
  const killed = run("once");
  const signal = await new Promise((resolve) => killed.once("exit", (_code, by) => resolve(by)));
  expect(signal).toBe("SIGKILL");
  expect(await stateOf(show, "ann|k")).toBe("p");
  const next = run("never");
  await until(async () => (await ordersOf(show)) === 1);
  next.kill("SIGKILL");
  await new Promise((resolve) => next.once("exit", resolve));
  const provider = readFileSync(file, "utf8").trim().split("\n");
  expect(provider.filter((line) => line.startsWith("charged"))).toHaveLength(1);
  expect(provider).toHaveLength(2);
  expect(await pendingOf(show)).toBe(0);
  expect((await readLedger(shop.redis, show)).filter((line) => line.kind === "sold")).toHaveLength(
    1,
  );
  await shop.checkBooks(show);
});

test("[F7] what a cashier that never comes back left behind is taken over", async () => {
  const show = await open();
  await buy(show, "ann");
  const { payments } = showKeys(show);
  await shop.redis.xreadgroup("GROUP", "cashier", "gone", "COUNT", 10, "STREAMS", payments, ">");
  const [[id] = [""]] = await shop.intents(show);
  // As if half a minute had passed.
  await shop.redis.call("XCLAIM", payments, "cashier", "gone", "0", id, "IDLE", "40000");
  cashier(createSandbox(0), () => [show], "control-1");
  await until(async () => (await ordersOf(show)) === 1);
  expect(await pendingOf(show)).toBe(0);
});

test("[F7] two cashiers on one show share the work and double nothing", async () => {
  const show = await open();
  const sandbox = createSandbox(2);
  const both = [
    cashier(sandbox, () => [show], "control-1"),
    cashier(sandbox, () => [show], "control-2"),
  ];
  await Promise.all(Array.from({ length: 80 }, (_, i) => buy(show, `v${i}`)));
  await until(async () => (await ordersOf(show)) === 80);
  expect(sandbox.takings.chargedCents).toBe(80 * 4900);
  await until(() => both.reduce((sum, one) => sum + one.done.paid, 0) === 80);
  await shop.checkBooks(show);
});

test("[PAY3] a provider that cannot be reached is asked again with the same reference until it answers", async () => {
  const show = await open();
  const refs: string[] = [];
  const shaky: PaymentAdapter = {
    async charge({ ref, cents, currency }) {
      refs.push(ref);
      expect([cents, currency]).toEqual([4900, "CNY"]);
      if (refs.length < 3) throw new Error("gateway timeout");
      return "paid";
    },
    refund: async () => undefined,
  };
  const one = cashier(shaky, () => [show]);
  await buy(show, "ann");
  await until(async () => (await ordersOf(show)) === 1);
  expect(refs).toHaveLength(3);
  expect(new Set(refs).size).toBe(1);
  expect(one.done.retries).toBe(2);
});

test("[PAY4] a show made after the cashier started is served, too", async () => {
  const listed: string[] = [];
  cashier(createSandbox(0), () => listed);
  const show = await open();
  listed.push(show);
  await buy(show, "ann");
  await until(async () => (await ordersOf(show)) === 1, 1500);
});

test("[F1][F7] Redis killed in the middle of payments: each still becomes one order", async () => {
  const show = await open();
  const sandbox = createSandbox(50);
  cashier(sandbox, () => [show]);
  await Promise.all(Array.from({ length: 20 }, (_, i) => buy(show, `v${i}`)));
  await until(() => sandbox.takings.chargedCents > 0);
  await shop.server.kill("SIGKILL");
  await shop.server.restart();
  await until(async () => shop.redis.status === "ready" && (await ordersOf(show)) === 20, 10_000);
  expect(sandbox.takings.chargedCents).toBe(20 * 4900);
  await until(async () => (await pendingOf(show)) === 0);
  await shop.checkBooks(show);
});

test("[PAY5] the sandbox absorbs a repeated reference and declines amounts that end in 13", async () => {
  const sandbox = createSandbox(0);
  expect(await sandbox.charge({ ref: "a", cents: 100, currency: "CNY" })).toBe("paid");
  expect(await sandbox.charge({ ref: "a", cents: 100, currency: "CNY" })).toBe("paid");
  expect(await sandbox.charge({ ref: "b", cents: 1313, currency: "CNY" })).toBe("declined");
  await sandbox.refund({ ref: "a", cents: 100 });
  await sandbox.refund({ ref: "a", cents: 100 });
  expect(sandbox.takings).toEqual({ chargedCents: 100, refundedCents: 100 });
});

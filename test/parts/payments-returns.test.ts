/** Taking back what was sold, and what the sandbox can be asked to do. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createIntake } from "../../server/payments/intake.ts";
import { createReturns } from "../../server/payments/returns.ts";
import { showKeys } from "../../server/redis/keys.ts";
import { createSandbox, type SandboxOptions } from "../../server/shop/sandbox.ts";
import { liveDrops } from "../helpers/books.ts";
import { type CashDesk, hear, openCashDesk } from "../helpers/cash-desk.ts";
import { until } from "../helpers/rooms.ts";

const folder = mkdtempSync(join(tmpdir(), "dropcast-payments-"));
afterAll(() => rmSync(folder, { recursive: true }));

let desk: CashDesk;
beforeAll(async () => {
  desk = await openCashDesk();
});
afterEach(() => desk.clear());
afterAll(() => desk.stop());

for (const [policy, kind, books] of [
  ["drop", "returned", { available: 5, sold: 0, writtenOff: 0 }],
  ["product", "returnedToProduct", { available: 3, sold: 0, writtenOff: 2 }],
  ["none", "returnedAsLoss", { available: 3, sold: 0, writtenOff: 2 }],
] as const)
  test(`[F6][PAY12] an order taken back, policy ${policy}: money and units once, in one step with the ledger`, async () => {
    const show = await desk.buying({}, 2);
    const product = {
      sku: "tea",
      title: "白茶",
      priceCents: 9900,
      stock: 995,
      imageUrl: "",
      category: "",
      restock: policy,
    };
    await desk.shop.shows.putProduct(show, product);
    const intake = desk.stripeCashier(show);
    const one = await desk.session(show);
    desk.stripe.pay(one);
    await hear(desk.stripe, intake, desk.stripe.event(one, "checkout.session.completed"));
    await until(() => desk.isQuiet(show));
    const { takeBack } = createReturns(desk.shop.redis);
    const words = await Promise.all(
      Array.from({ length: 5 }, () => takeBack(show, "D000001", "broken")),
    );
    for (const word of words) expect(["refunding", "refunded"]).toContain(word);
    await until(async () => (await desk.ordersOf(show))[0]?.state === "refunded");
    expect(await takeBack(show, "D000001", "again")).toBe("refunded");
    expect(await takeBack(show, "D999999", "")).toBe("unknown");
    expect(await desk.stateOf(show)).toBe("r");
    expect(desk.refundsOf(show)).toEqual([one.ref]);
    expect((await liveDrops(desk.shop.redis, show))[0]).toMatchObject({
      allotment: 5,
      held: 0,
      ...books,
    });
    const { stock } = JSON.parse(
      (await desk.shop.redis.hget(showKeys(show).products, "tea")) ?? "",
    ) as {
      stock: number;
    };
    expect(stock).toBe(policy === "product" ? 997 : 995);
    expect((await desk.kindsOf(show)).filter((one_) => one_.startsWith("returned"))).toEqual([
      kind,
    ]);
    await desk.shop.checkBooks(show);
  });

test("[F6] units of an order taken back in a sold-out drop are on sale again; of a closed drop they go to the product", async () => {
  const show = await desk.shop.open({ allotment: 1 });
  const { takeBack } = createReturns(desk.shop.redis);
  await desk.shop.shows.putProduct(show, {
    sku: "tea",
    title: "白茶",
    priceCents: 9900,
    stock: 999,
    imageUrl: "",
    category: "",
    restock: "drop",
  } as never);
  desk.cashier(createSandbox(0), show);
  for (const [viewerId, orderId] of [
    ["ann", "D000001"],
    ["bob", "D000002"],
  ] as const) {
    expect((await desk.shop.hold(show, viewerId))[0]).toBe("held");
    expect((await desk.shop.hold(show, "eve", { key: `no-${viewerId}` }))[0]).toBe("soldOut");
    await desk.shop.ask(show, { what: "pay", viewerId });
    await until(async () => (await desk.stateOf(show, `${viewerId}|k`)) === "s");
    if (viewerId === "bob") await desk.shop.nodes[0].close(show, "d");
    expect(await takeBack(show, orderId, "")).toBe("refunding");
  }
  expect(await desk.shop.theDrop(show)).toMatchObject({
    state: "closed",
    available: 0,
    sold: 0,
    writtenOff: 1,
  });
  expect(
    JSON.parse((await desk.shop.redis.hget(showKeys(show).products, "tea")) ?? ""),
  ).toMatchObject({
    stock: 1000,
  });
});

test("[F7] killed between the provider's refund and Redis: the next run asks with the same reference and ends the order", async () => {
  const show = await desk.buying();
  await desk.shop.redis.xreadgroup(
    "GROUP",
    "cashier",
    "gone",
    "COUNT",
    1,
    "STREAMS",
    showKeys(show).payments,
    ">",
  );
  const [[chargeId]] = (await desk.shop.intents(show)) as [[string, string[]]];
  await desk.shop.ask(show, { what: "settle", viewerId: "ann", intentId: chargeId });
  await createReturns(desk.shop.redis).takeBack(show, "D000001", "");
  const file = join(folder, show);
  const run = (kill: string) =>
    spawn(
      process.execPath,
      [
        fileURLToPath(new URL("cashier-process.ts", import.meta.url)),
        desk.shop.server.url,
        show,
        file,
        kill,
      ],
      { stdio: "inherit" },
    );
  const killed = run("once");
  expect(await new Promise((resolve) => killed.once("exit", (_code, by) => resolve(by)))).toBe(
    "SIGKILL",
  );
  expect((await desk.ordersOf(show))[0]?.state).toBe("refunding");
  const next = run("never");
  await until(async () => (await desk.ordersOf(show))[0]?.state === "refunded");
  next.kill("SIGKILL");
  await new Promise((resolve) => next.once("exit", resolve));
  expect(readFileSync(file, "utf8").trim().split("\n")).toEqual([
    `refunded ${show}/${chargeId}`,
    `refunded ${show}/${chargeId}`,
  ]);
  expect((await desk.kindsOf(show)).filter((kind) => kind.startsWith("returned"))).toHaveLength(1);
  expect(await desk.isQuiet(show)).toBe(true);
});

async function inSandbox(priceCents: number, options: SandboxOptions = {}) {
  const show = await desk.buying({ priceCents });
  const intake = createIntake({
    redis: desk.shop.redis,
    inventory: desk.shop.nodes[1],
    onOutcome: () => undefined,
    onRefund: () => undefined,
  });
  let told = 0;
  const tell: SandboxOptions["tell"] = async (ref, outcome) => {
    await intake.hear({ ref, outcome, eventId: `e${++told}` });
  };
  const sandbox = createSandbox(0, { tell, ...options });
  return { show, sandbox, done: desk.cashier(sandbox, show).done };
}

test("[PAY13] the sandbox does on request what real providers do: declines, is unreachable, repeats and contradicts itself, never answers", async () => {
  const declined = await inSandbox(4913);
  await until(async () => (await desk.stateOf(declined.show)) === "h");
  const shaky = await inSandbox(4914);
  await until(async () => (await desk.stateOf(shaky.show)) === "s");
  expect(shaky.done.retries).toBe(2);
  const talkative = await inSandbox(4916);
  await until(
    async () =>
      (await desk.stateOf(talkative.show)) === "s" && (await desk.isQuiet(talkative.show)),
  );
  expect(await desk.ordersOf(talkative.show)).toHaveLength(1);
  const silent = await inSandbox(4915);
  await until(async () => !(await desk.isQuiet(silent.show)));
  await desk.lapse(silent.show);
  expect((await desk.shop.hold(silent.show, "bob"))[0], "[F8] the unit is not stuck").toBe("held");
  const lying = await inSandbox(4900, {
    behave: () => ({ answer: "paid", tellsBefore: ["failed"] }),
  });
  await until(async () => (await desk.stateOf(lying.show)) !== "p");
  for (const one of [declined, shaky, talkative, silent, lying])
    await desk.shop.checkBooks(one.show);
});

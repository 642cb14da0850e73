/** The HTTP API: what a host does to a drop under way, and coupons. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createInventory } from "../../server/shop/inventory.ts";
import { type ControlWorld, idOf, refused, startControlWorld } from "../helpers/control.ts";
import { until } from "../helpers/rooms.ts";

let world: ControlWorld;
beforeAll(async () => {
  world = await startControlWorld({ TOKENS_PER_SECOND: "1000" });
});
afterAll(() => world.stop());

const DROP = { sku: "tea", priceCents: 4900, allotment: 10, dropId: "d" };

test("[API20] a restock takes units from the product, and never more than there are", async () => {
  const show = await world.show();
  await world.call(`POST ${show}/drops`, { body: DROP });
  const { body } = await world.call(`POST ${show}/drops/d/restock`, { body: { units: 5 } });
  expect(body).toMatchObject({ allotted: 10, restocked: 5, available: 15 });
  refused(
    await world.call(`POST ${show}/drops/d/restock`, { body: { units: 1000 } }),
    409,
    "shortStock",
  );
  refused(
    await world.call(`POST ${show}/drops/d/restock`, { body: { units: 0 } }),
    400,
    "wrongBody",
  );
  refused(await world.call(`POST ${show}/drops/x/restock`, { body: { units: 1 } }), 404, "noDrop");
  await world.call(`POST ${show}/drops/d/close`);
  refused(
    await world.call(`POST ${show}/drops/d/restock`, { body: { units: 1 } }),
    409,
    "dropOver",
  );
});

test("[API21] a void needs a reason, and is final", async () => {
  const show = await world.show();
  await world.call(`POST ${show}/drops`, { body: DROP });
  refused(
    await world.call(`POST ${show}/drops/d/void`, { body: { reason: " " } }),
    400,
    "wrongBody",
  );
  const { body } = await world.call(`POST ${show}/drops/d/void`, {
    body: { reason: "wrong price" },
  });
  expect(body).toMatchObject({ state: "voided", available: 0, writtenOff: 10 });
});

test("[API21][I5][F6] what a voided drop has sold is refunded, once", async () => {
  const show = await world.show();
  const id = idOf(show);
  const inventory = createInventory(world.store);
  await world.call(`POST ${show}/drops`, { body: DROP });
  const ask = (what: "hold" | "settle"): Promise<unknown> =>
    inventory.decide(id, [
      { what, viewerId: "v", key: "k", dropId: what === "hold" ? "d" : "", quantity: 1 },
    ]);
  await ask("hold");
  await ask("settle");
  for (let i = 0; i < 2; i++)
    expect(
      (await world.call(`POST ${show}/drops/d/void`, { body: { reason: "wrong price" } })).status,
    ).toBe(200);
  await until(async () => {
    const { body } = await world.call(`GET ${show}/orders`);
    const [order] = (body as unknown as { orders: { state: string }[] }).orders;
    return order?.state === "refunded";
  });
  expect((await world.call(`GET ${show}/drops/d`)).body).toMatchObject({
    sold: 0,
    held: 0,
    writtenOff: 10,
  });
});

test("[API22] a draw can be recomputed from what is published, and is not published before", async () => {
  const show = await world.show();
  const nowMs = Date.now();
  const body = { ...DROP, mode: "random", allotment: 2 };
  refused(await world.call(`POST ${show}/drops`, { body }), 400, "wrongBody");
  await world.call(`POST ${show}/drops`, { body: { ...body, startsAtMs: nowMs + 5200 } });
  refused(await world.call(`GET ${show}/drops/d/draw`), 404, "noDraw");
  const drawn = await until(async () => {
    const answer = await world.call(`GET ${show}/drops/d/draw`);
    return answer.status === 200
      ? (answer.body as unknown as { seed: string; seedHash: string; entrants: string[] })
      : undefined;
  }, 10_000);
  expect(createHash("sha256").update(drawn.seed).digest("hex")).toBe(drawn.seedHash);
  expect(drawn.entrants).toEqual([]);
}, 20_000);

test("[API23] a coupon's budget is a number of claims; what is wrong is named", async () => {
  const show = await world.show();
  const coupon = { couponId: "c", title: "立减 10 元", offCents: 1000, budgetCents: 200_900 };
  const made = await world.call(`POST ${show}/coupons`, { body: coupon });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({ couponId: "c", left: 200, perViewerLimit: 1, stacks: false });
  refused(await world.call(`POST ${show}/coupons`, { body: coupon }), 409, "couponExists");
  refused(
    await world.call(`POST ${show}/coupons`, {
      body: { ...coupon, couponId: "c2", budgetCents: 999 },
    }),
    400,
    "wrongBody",
  );
  refused(
    await world.call(`POST ${show}/coupons`, { body: { ...coupon, couponId: "c2", endsAtMs: 5 } }),
    400,
    "wrongBody",
  );
  const { body } = await world.call(`GET ${show}/coupons`);
  expect((body as unknown as { coupons: object[] }).coupons).toHaveLength(1);
});

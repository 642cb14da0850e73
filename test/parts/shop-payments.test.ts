/** What becomes of a hold when its money comes, does not come, comes twice or comes late. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { showKeys } from "../../server/redis/keys.ts";
import { type Shop, sleep, startShop } from "../helpers/shop.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await startShop({ fsyncAlways: false });
});
afterAll(() => shop.stop());

const refundsOf = async (show: string): Promise<string[]> =>
  (await shop.intents(show))
    .filter(([, fields]) => fields[1] === "refund")
    .map(([, fields]) => fields[3] as string);

/** In one batch, so that no short deadline can come between. */
async function holdAndPay(show: string, viewerId: string): Promise<void> {
  const request = { viewerId, key: "k", dropId: "d", quantity: 1 };
  const [, paid] = await shop.nodes[0].decide(show, [
    { what: "hold", ...request },
    { what: "pay", ...request, dropId: "" },
  ]);
  expect(paid?.[0]).toBe("paying");
}

test("[F4] money within the grace period sells; after it, the unit is taken again; sold out, it goes back once", async () => {
  const show = await shop.open({ holdMs: 20, allotment: 2 });
  await holdAndPay(show, "ann");
  await shop.hold(show, "bob");
  await sleep(30);
  await shop.nodes[0].sweep(show);
  // Ann was paying when her deadline came: her unit is still hers. Bob's went back.
  expect(await shop.theDrop(show)).toMatchObject({ held: 1, available: 1 });
  expect((await shop.ask(show, { what: "settle", viewerId: "ann" }))[0]).toBe("sold");
  // Bob's money arrives all the same, and there is a unit.
  expect((await shop.ask(show, { what: "settle", viewerId: "bob" }))[0]).toBe("sold");
  expect(await shop.theDrop(show)).toMatchObject({ available: 0, held: 0, sold: 2 });

  const full = await shop.open({ holdMs: 20, allotment: 1 });
  await shop.hold(full, "ann");
  await sleep(30);
  await shop.nodes[0].sweep(full);
  await shop.hold(full, "bob");
  expect((await shop.ask(full, { what: "settle", viewerId: "ann" }))[0]).toBe("paid_late");
  expect((await shop.ask(full, { what: "settle", viewerId: "ann" }))[0]).toBe("paid_late");
  expect(await refundsOf(full)).toEqual(["ann|k"]);
  expect((await shop.ask(full, { what: "refund", viewerId: "ann" }))[0]).toBe("refunded");
  expect((await shop.ask(full, { what: "settle", viewerId: "ann" }))[0]).toBe("refunded");
  expect(await refundsOf(full)).toHaveLength(1);
  await shop.checkBooks(full);
});

test("[F5] ended holds absorb every later word", async () => {
  const show = await shop.open();
  await shop.hold(show, "ann");
  await shop.ask(show, { what: "pay", viewerId: "ann" });
  const [word, orderId] = await shop.ask(show, { what: "settle", viewerId: "ann" });
  expect([word, orderId]).toEqual(["sold", "D000001"]);
  for (const what of ["settle", "decline", "refund", "settle"] as const)
    expect((await shop.ask(show, { what, viewerId: "ann" }))[0]).toBe("sold");
  expect(await shop.ask(show, { what: "pay", viewerId: "ann" })).toEqual(["sold", "D000001"]);
  expect(await shop.ask(show, { what: "cancel", viewerId: "ann" })).toEqual(["sold"]);
  expect((await shop.ask(show, { what: "settle", viewerId: "nobody" }))[0]).toBe("notHeld");
  expect(await shop.redis.hlen(showKeys(show).orders)).toBe(1);
  await shop.checkBooks(show);
});

test("[F5] a late word about a payment that was decided before does not touch the next payment", async () => {
  const show = await shop.open();
  await shop.hold(show, "ann");
  await shop.ask(show, { what: "pay", viewerId: "ann" });
  const [[first] = [""]] = await shop.intents(show);
  const { payments } = showKeys(show);
  await shop.redis.xreadgroup("GROUP", "cashier", "me", "STREAMS", payments, ">");
  const decline = { what: "decline", viewerId: "ann", intentId: first } as const;
  expect((await shop.ask(show, decline))[0]).toBe("held");
  expect((await shop.ask(show, { what: "pay", viewerId: "ann" }))[0]).toBe("paying");
  // The same outcome again, from a cashier that crashed before it knew: without this the buyer could pay twice.
  expect((await shop.ask(show, decline))[0]).toBe("paying");
  expect((await shop.ask(show, { what: "pay", viewerId: "ann" }))[0]).toBe("paying");
  expect(await shop.intents(show)).toHaveLength(2);
});

test("[F8] a declined payment whose deadline has passed ends there, even if the clock stepped back since", async () => {
  const show = await shop.open();
  await shop.hold(show, "ann");
  await shop.ask(show, { what: "pay", viewerId: "ann" });
  // As the sweep leaves it after the deadline; by the clock of now the deadline is still ahead.
  await shop.redis.zadd(showKeys(show).overdue, Date.now() + 60_000, "ann|k");
  await shop.redis.del(`${showKeys(show).deadlines}:d`);
  expect((await shop.ask(show, { what: "decline", viewerId: "ann" }))[0]).toBe("expired");
  expect(await shop.theDrop(show)).toMatchObject({ held: 0, available: 10 });
});

test("[F8] a payment that nobody decides is given up after its grace, and the unit returns", async () => {
  const show = await shop.open({ holdMs: 10 });
  await holdAndPay(show, "ann");
  await sleep(20);
  await shop.nodes[0].sweep(show);
  expect(await shop.redis.zcard(showKeys(show).overdue)).toBe(1);
  expect((await shop.theDrop(show)).held).toBe(1);
  await shop.redis.zadd(showKeys(show).overdue, Date.now() - 1, "ann|k");
  await shop.nodes[0].sweep(show);
  expect(await shop.theDrop(show)).toMatchObject({ held: 0, available: 10 });
  expect((await shop.ask(show, { what: "pay", viewerId: "ann" }))[0]).toBe("expired");
  await shop.checkBooks(show);
});

import { afterAll, beforeAll, expect, test } from "vitest";
import type { DropRequest } from "../../server/shop/inventory.ts";
import { type Shop, startShop } from "../helpers/shop.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await startShop({ fsyncAlways: false });
});
afterAll(() => shop.stop());

/** Commands that Redis ran for 64 holds in one batch, by name. */
async function commandsOf(
  terms: Parameters<Shop["open"]>[0],
  more: Partial<DropRequest>,
): Promise<Record<string, number>> {
  const show = await shop.open({ allotment: 100, ...terms });
  const holds = Array.from({ length: 64 }, (_, i) => ({
    what: "hold",
    viewerId: `v${i}`,
    key: "k",
    dropId: "d",
    quantity: 1,
    ...more,
  })) as DropRequest[];
  // The first call of all brings the script itself.
  await shop.nodes[0].decide(show, []);
  await shop.redis.config("RESETSTAT");
  const answers = await shop.nodes[0].decide(show, holds);
  expect(answers.map(([word]) => word)).toEqual(holds.map(() => "held"));
  const stats = await shop.redis.info("commandstats");
  const counts = [...stats.matchAll(/^cmdstat_([^:|]+):calls=(\d+)/gm)];
  return Object.fromEntries(counts.map(([, name = "", calls]) => [name, Number(calls)]));
}

test("[PASS10] Redis runs the very same commands for holds with a pass, with a proof, and for those of an open drop", async () => {
  const open = await commandsOf({}, {});
  expect(open["hmget"]).toBeGreaterThan(0);
  expect(await commandsOf({ admission: "token" }, level(2))).toEqual(open);
  expect(await commandsOf({ admission: "proof" }, level(3))).toEqual(open);
  expect(await commandsOf({ admission: "flagged" }, level(1))).toEqual(open);
});

const level = (n: number): Partial<DropRequest> => ({ admitted: { level: n, flags: "" } });

/** The HTTP API: drops, their terms and their true state. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { showKeys } from "../../server/redis/keys.ts";
import { type ControlWorld, idOf, refused, startControlWorld } from "../helpers/control.ts";
import { until } from "../helpers/rooms.ts";

let world: ControlWorld;
beforeAll(async () => {
  world = await startControlWorld({ TOKENS_PER_SECOND: "1000" });
});
afterAll(() => world.stop());

const DROP = { sku: "tea", priceCents: 4900, allotment: 10 };

describe("drops", () => {
  test("[API8] sensible terms by default: now, ten minutes, one each, two minutes to pay", async () => {
    const show = await world.show();
    const made = await world.call(`POST ${show}/drops`, { body: DROP });
    expect(made.status).toBe(201);
    const drop = made.body;
    expect(drop).toMatchObject({
      state: "open",
      allotted: 10,
      available: 10,
      held: 0,
      sold: 0,
      writtenOff: 0,
      restocked: 0,
      perBuyerLimit: 1,
      holdMs: 120_000,
      wasCents: 9900,
    });
    expect(Math.abs((drop.startsAtMs ?? 0) - Date.now())).toBeLessThan(1000);
    expect((drop.endsAtMs ?? 0) - (drop.startsAtMs ?? 0)).toBeGreaterThan(599_000);
    expect((await world.call(`GET ${show}/products`)).body.products?.[0]?.stock).toBe(90);
  });

  test("[API8] refused: no such product, too little stock, a dropId that is taken", async () => {
    const show = await world.show();
    refused(
      await world.call(`POST ${show}/drops`, { body: { ...DROP, sku: "none" } }),
      404,
      "noProduct",
    );
    const short = refused(
      await world.call(`POST ${show}/drops`, { body: { ...DROP, allotment: 101 } }),
      409,
      "shortStock",
    );
    expect(short).toMatchObject({ field: "allotment", reason: "product has 100 units" });
    expect(
      (await world.call(`POST ${show}/drops`, { body: { ...DROP, dropId: "d1" } })).status,
    ).toBe(201);
    refused(
      await world.call(`POST ${show}/drops`, { body: { ...DROP, dropId: "d1" } }),
      409,
      "dropExists",
    );
    refused(await world.call(`GET ${show}/drops/none`), 404, "noDrop");
    refused(await world.call(`POST ${show}/drops/none/close`), 404, "noDrop");
  });

  test("[I9] a drop's state is true by Redis TIME at every moment, swept or not", async () => {
    const show = await world.show();
    const startsAtMs = Date.now() + 150;
    const body = { ...DROP, dropId: "d", startsAtMs, endsAtMs: startsAtMs + 150 };
    expect((await world.call(`POST ${show}/drops`, { body })).body).toMatchObject({
      state: "announced",
    });
    const seen = new Set<string>();
    for (let state = ""; state !== "closed";) {
      const askedMs = Date.now();
      const drop = (await world.call(`GET ${show}/drops/d`)).body;
      const answeredMs = Date.now();
      state = drop.state ?? "closed";
      seen.add(state);
      if (state === "announced") expect(askedMs).toBeLessThan(startsAtMs);
      if (state === "open")
        expect([answeredMs >= startsAtMs, askedMs < startsAtMs + 150]).toEqual([true, true]);
      if (state === "closed")
        expect([answeredMs >= startsAtMs + 150, drop.available, drop.writtenOff]).toEqual([
          true,
          0,
          10,
        ]);
    }
    expect([...seen]).toEqual(["announced", "open", "closed"]);
    // The sweep comes to the same end, and the units are back.
    await until(
      async () =>
        (
          JSON.parse((await world.store.hget(showKeys(idOf(show)).products, "tea")) ?? "") as {
            stock: number;
          }
        ).stock === 100,
    );
  });

  test("[API8] a drop is closed by hand, and its units go back", async () => {
    const show = await world.show();
    await world.call(`POST ${show}/drops`, {
      body: { ...DROP, dropId: "d", startsAtMs: Date.now() + 60_000 },
    });
    expect((await world.call(`POST ${show}/drops/d/close`)).body).toMatchObject({
      state: "closed",
      writtenOff: 10,
    });
    expect((await world.call(`POST ${show}/drops/d/close`)).status).toBe(200);
    expect((await world.call(`GET ${show}/drops`)).body.drops).toHaveLength(1);
  });
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { showKeys } from "../../server/redis/keys.ts";
import { createInventory } from "../../server/shop/inventory.ts";
import { type ControlWorld, idOf, startControlWorld } from "../helpers/control.ts";
import { type Receiver, startReceiver } from "../helpers/receiver.ts";
import { until } from "../helpers/rooms.ts";

let world: ControlWorld;
let receiver: Receiver;
let secret = "";
beforeAll(async () => {
  world = await startControlWorld();
  receiver = await startReceiver(() => secret);
});
afterAll(async () => {
  await receiver.stop();
  await world.stop();
});

test("[FLAG5] what was odd about a purchase reaches the shop: in the list of orders, its CSV, the signed webhooks and the operator's figures", async () => {
  const hook = await world.call("POST /v1/webhooks", { body: { url: receiver.url } });
  secret = (JSON.parse(hook.text) as { secret: string }).secret;
  const path = await world.show();
  const show = idOf(path);
  const drop = { sku: "tea", priceCents: 4900, allotment: 5, dropId: "d" };
  await world.call(`POST ${path}/drops`, { body: drop });
  const inventory = createInventory(world.store);
  const hold = { what: "hold", key: "k", dropId: "d", quantity: 1 } as const;
  const admitted = { level: 1, flags: "manyViewers,instant" };
  await inventory.decide(show, [
    { ...hold, viewerId: "ann" },
    { ...hold, viewerId: "bot", admitted },
    // Refused: nothing is kept of it.
    { ...hold, viewerId: "bot", key: "k2", admitted },
  ]);
  const { flags } = showKeys(show);
  expect(await world.store.hgetall(flags)).toEqual({ "bot|k": admitted.flags });
  const pay = { what: "pay", key: "k", dropId: "", quantity: 0 } as const;
  await inventory.decide(show, [
    { ...pay, viewerId: "ann" },
    { ...pay, viewerId: "bot" },
  ]);
  const orders = await until(async () => {
    const page = (await world.call(`GET ${path}/orders`)).body.orders ?? [];
    return page.length === 2 ? page : undefined;
  }, 15_000);
  const marks = Object.fromEntries(orders.map((order) => [order.viewerId, order.flags]));
  expect(marks).toEqual({ ann: [], bot: ["manyViewers", "instant"] });
  const csv = await world.call(`GET ${path}/orders?format=csv`);
  expect(csv.text).toMatch(/,bot,.*,manyViewers instant\r\n/);

  for (const type of ["order.held", "order.paid"]) {
    const told = await until(() => {
      const events = receiver.taken.filter((event) => event.type === type && event.show === show);
      return events.length === 2 ? events : undefined;
    }, 15_000);
    const said = Object.fromEntries(told.map(({ data }) => [data["viewerId"], data["flags"]]));
    expect(said).toEqual({ ann: [], bot: ["manyViewers", "instant"] });
  }
  const ops = JSON.parse((await world.call("GET /v1/ops")).text) as {
    shows: { id: string; flagged: number }[];
  };
  expect(ops.shows.find(({ id }) => id === show)?.flagged).toBe(1);
  const metrics = (await world.call("GET /metrics")).text;
  expect(metrics).toContain(`dropcast_show_flagged_holds{show="${show}"} 1`);
});

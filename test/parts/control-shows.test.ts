/** The HTTP API: shows, their bag and pins, moderation. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { showKeys } from "../../server/redis/keys.ts";
import {
  type Answer,
  type ControlWorld,
  idOf,
  refused,
  startControlWorld,
} from "../helpers/control.ts";

let world: ControlWorld;
beforeAll(async () => {
  world = await startControlWorld({ TOKENS_PER_SECOND: "1000" });
});
afterAll(() => world.stop());

const DROP = { sku: "tea", priceCents: 4900, allotment: 10 };

describe("shows", () => {
  test("[API1] a show is made once, started, ended, and does not come back", async () => {
    const body = { id: "one", title: " 清晨茶席 ", currency: "CNY" };
    const made = await world.call("POST /v1/shows", { body });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      id: "one",
      title: "清晨茶席",
      currency: "CNY",
      state: "scheduled",
      viewers: 0,
      likes: 0,
    });
    refused(await world.call("POST /v1/shows", { body }), 409, "showExists");
    refused(await world.call("POST /v1/shows/one/end"), 409, "notLive");
    expect((await world.call("POST /v1/shows/one/start")).body).toEqual({
      id: "one",
      state: "live",
    });
    expect(
      (
        await world.call("POST /v1/shows/one/start", {
          headers: { "content-type": "application/json" },
        })
      ).status,
    ).toBe(200);
    expect((await world.call("POST /v1/shows/one/end")).body).toEqual({
      id: "one",
      state: "ended",
    });
    expect((await world.call("POST /v1/shows/one/end")).status).toBe(200);
    refused(await world.call("POST /v1/shows/one/start"), 409, "showEnded");
    const { shows } = (await world.call("GET /v1/shows")).body;
    expect(shows?.find((show) => show.id === "one")?.state).toBe("ended");
  });

  test("[API1] ending a show closes its drops and refuses new ones", async () => {
    const show = await world.show();
    await world.call(`POST ${show}/start`);
    const { dropId } = (await world.call(`POST ${show}/drops`, { body: DROP })).body;
    await world.call(`POST ${show}/end`);
    expect((await world.call(`GET ${show}/drops/${String(dropId)}`)).body).toMatchObject({
      state: "closed",
      writtenOff: 10,
    });
    refused(await world.call(`POST ${show}/drops`, { body: DROP }), 409, "showEnded");
  });

  test("[API2] what is not there is 404, everywhere under a show", async () => {
    refused(await world.call("GET /v1/shows/none"), 404, "noShow");
    for (const what of [
      "GET products",
      "GET drops",
      "GET drops/x",
      "GET orders",
      "GET ledger",
      "POST start",
      "DELETE mutes/x",
    ]) {
      const [method, path] = what.split(" ");
      refused(await world.call(`${method} /v1/shows/none/${path}`), 404, "noShow");
    }
    refused(
      await world.call("POST /v1/shows/none/tokens", { body: { role: "viewer" }, bearer: "" }),
      404,
      "noShow",
    );
    refused(await world.call("GET /v1/nothing"), 404, "noPath");
    // A refused call must not have made the show it named.
    expect(
      (await world.call("POST /v1/shows", { body: { id: "none", title: "x", currency: "CNY" } }))
        .status,
    ).toBe(201);
  });
});

describe("bag and pins", () => {
  test("[API5] products: added once, replaced by PUT, listed with their stock", async () => {
    const show = await world.show();
    const mug = {
      sku: "mug",
      title: "杯 Mug",
      priceCents: 2500,
      stock: 7,
      imageUrl: "/products/mug.svg",
      category: "茶具",
    };
    expect(await world.call(`POST ${show}/products`, { body: mug })).toMatchObject({
      status: 201,
      body: mug,
    });
    refused(await world.call(`POST ${show}/products`, { body: mug }), 409, "productExists");
    const { sku: _, ...rest } = mug;
    expect(
      (await world.call(`PUT ${show}/products/mug`, { body: { ...rest, stock: 9 } })).status,
    ).toBe(200);
    expect((await world.call(`PUT ${show}/products/new`, { body: rest })).status).toBe(201);
    const { products } = (await world.call(`GET ${show}/products`)).body;
    expect(products?.map((p) => [p.sku, p.stock])).toEqual([
      ["mug", 9],
      ["new", 7],
      ["tea", 100],
    ]);
  });

  test("[API6] a CSV is imported whole or not at all, each wrong line named by line, field and reason", async () => {
    const show = await world.show();
    const send = (body: string): Promise<Answer> =>
      world.call(`POST ${show}/products/import`, {
        body,
        headers: { "content-type": "text/csv; charset=utf-8" },
      });
    const good =
      '\uFEFFsku,title,price,stock,category\r\nteapot,"壶, ""大""",199.50,30,茶具\r\n\r\ntea,白茶,69,500,\r\n';
    expect((await send(good)).body).toEqual({ added: 1, changed: 1, same: 0 });
    expect((await send(good)).body).toEqual({ added: 0, changed: 0, same: 2 });
    const { products } = (await world.call(`GET ${show}/products`)).body;
    expect(products).toContainEqual({
      sku: "teapot",
      title: '壶, "大"',
      priceCents: 19_950,
      stock: 30,
      imageUrl: "",
      category: "茶具",
    });

    const bad = await send(
      "sku,title,price,stock\ncup,杯,12.345,1\na b,x,1,1\ncup2,,1,-1\ncup3,杯,1\ncup4,杯,1,1\ncup4,杯,1,1\n",
    );
    const error = refused(bad, 400, "badCsv");
    expect(error.problems?.map((p) => [p.line, p.field])).toEqual([
      [2, "price"],
      [3, "sku"],
      [4, "title"],
      [4, "stock"],
      [5, "line"],
      [7, "sku"],
    ]);
    expect(error.problems?.every((p) => p.reason.length > 5)).toBe(true);
    expect((await world.call(`GET ${show}/products`)).body.products).toHaveLength(2);
    expect(refused(await send("name,price,priceCents\n"), 400, "badCsv").problems).toHaveLength(5);
    expect(refused(await send(""), 400, "badCsv").field).toBe("file");
  });

  test("[API7] pins: at most three, the oldest leaving first, products only", async () => {
    const show = await world.show();
    for (const sku of ["a", "b", "c"])
      await world.call(`PUT ${show}/products/${sku}`, {
        body: { title: sku, priceCents: 1, stock: 1 },
      });
    for (const sku of ["tea", "a", "b", "c", "c"])
      await world.call(`POST ${show}/pins`, { body: { sku } });
    expect((await world.call(`GET ${show}/pins`)).body).toEqual({ pinned: ["c", "b", "a"] });
    expect((await world.call(`DELETE ${show}/pins/b`)).body).toEqual({ pinned: ["c", "a"] });
    refused(await world.call(`POST ${show}/pins`, { body: { sku: "none" } }), 404, "noProduct");
  });
});

test("[API9] moderation: mute for a while, let speak again, delete a comment that exists", async () => {
  const show = await world.show();
  const { untilMs } = (
    await world.call(`POST ${show}/mutes`, { body: { viewerId: "ann", forMs: 60_000 } })
  ).body;
  expect(Math.abs((untilMs ?? 0) - Date.now() - 60_000)).toBeLessThan(1000);
  expect((await world.call(`DELETE ${show}/mutes/ann`)).status).toBe(204);
  expect(await world.store.hexists(showKeys(idOf(show)).muted, "ann")).toBe(0);
  refused(await world.call(`DELETE ${show}/comments/1`), 404, "noComment");
  await world.store.hset(showKeys(idOf(show)).meta, "commentNo", 3);
  expect((await world.call(`DELETE ${show}/comments/3`)).status).toBe(204);
});

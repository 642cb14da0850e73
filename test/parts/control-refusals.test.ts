/** The HTTP API: what a wrong body, a missing key and a wrong role are told. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ControlWorld, idOf, refused, startControlWorld } from "../helpers/control.ts";

let world: ControlWorld;
beforeAll(async () => {
  world = await startControlWorld({ TOKENS_PER_SECOND: "1000" });
});
afterAll(() => world.stop());

const tokenOf = (
  show: string,
  role: "viewer" | "moderator" | "host" | "operator",
): Promise<string> =>
  world.tokens.sign({
    show: role === "operator" ? "*" : show,
    viewerId: `a-${role}`,
    role,
    name: role,
  });

const DROP = { sku: "tea", priceCents: 4900, allotment: 10 };

describe("wrong bodies", () => {
  test.each([
    ["shows", { id: "a b", title: "x", currency: "CNY" }, "id"],
    ["shows", { id: "a", currency: "CNY" }, "title"],
    ["shows", { id: "a", title: "", currency: "CNY" }, "title"],
    ["shows", { id: "a", title: "x", currency: "yuan" }, "currency"],
    ["shows", { id: "a", title: "x", currency: "CNY", colour: "red" }, "colour"],
    ["products", { sku: "m", title: "x", priceCents: 1.5, stock: 1 }, "priceCents"],
    ["products", { sku: "m", title: "x", priceCents: 1, stock: -1 }, "stock"],
    [
      "products",
      { sku: "m", title: "x", priceCents: 1, stock: 1, imageUrl: "javascript:alert(1)" },
      "imageUrl",
    ],
    ["products", { sku: "m", title: "x", priceCents: 1, stock: 1, imageUrl: "//evil" }, "imageUrl"],
    ["drops", { ...DROP, priceCents: "49" }, "priceCents"],
    ["drops", { ...DROP, allotment: 0 }, "allotment"],
    ["drops", { ...DROP, perBuyerLimt: 1 }, "perBuyerLimt"],
    ["drops", { ...DROP, startsAtMs: 1000 }, "startsAtMs"],
    ["drops", { ...DROP, startsAtMs: Date.now() + 1e12 }, "startsAtMs"],
    ["drops", { ...DROP, endsAtMs: Date.now() - 1 }, "endsAtMs"],
    ["drops", { ...DROP, startsAtMs: Date.now() + 9000, endsAtMs: Date.now() + 8000 }, "endsAtMs"],
    ["pins", {}, "sku"],
    ["mutes", { viewerId: "ann", forMs: 0 }, "forMs"],
    ["tokens", { role: "king" }, "role"],
    ["tokens", { role: "viewer", viewerId: "a|b" }, "viewerId"],
    ["tokens", { role: "viewer", name: "x".repeat(41) }, "name"],
  ])("[API3] %s %j is 400 and names %s with the reason", async (resource, body, field) => {
    const path = resource === "shows" ? "/v1/shows" : `${await world.show()}/${resource}`;
    const error = refused(await world.call(`POST ${path}`, { body }), 400, "wrongBody");
    expect(error.field).toBe(field);
    expect(error.reason).toMatch(/\w/);
    expect(error.message).toContain(error.reason);
  });

  test("[API3] a body that is no JSON, no body, too large a body, another type", async () => {
    const json = { "content-type": "application/json" };
    refused(await world.call("POST /v1/shows", { body: '{"id":', headers: json }), 400, "badJson");
    expect(
      refused(await world.call("POST /v1/shows", { body: "", headers: json }), 400, "wrongBody")[
        "field"
      ],
    ).toBe("body");
    refused(
      await world.call("POST /v1/shows", { body: " ".repeat(70_000), headers: json }),
      413,
      "tooLarge",
    );
    refused(
      await world.call("POST /v1/shows", {
        body: "a=1",
        headers: { "content-type": "application/x-www-form-urlencoded" },
      }),
      415,
      "wrongType",
    );
    expect(
      (await world.call("POST /v1/shows", { body: '{"__proto__":{"id":"x"}}', headers: json }))
        .status,
    ).toBe(400);
  });
});

describe("who may do what", () => {
  test("[API4] no key is 401, a wrong one too, and the body is not even looked at", async () => {
    const show = await world.show();
    for (const what of [
      "POST /v1/shows",
      "GET /v1/shows",
      "GET /v1/ops",
      `POST ${show}/drops`,
      `GET ${show}/orders`,
      `GET ${show}/ledger`,
    ]) {
      const answer = await world.call(what, {
        bearer: "",
        ...(what.startsWith("POST") ? { body: "{" } : {}),
      });
      refused(answer, 401, "noToken");
      expect(answer.headers.get("www-authenticate")).toBe("Bearer");
      refused(await world.call(what, { bearer: "wrong" }), 401, "badToken");
    }
    const forged = (await tokenOf(idOf(show), "viewer")).split(".");
    forged[1] = Buffer.from(
      JSON.stringify({ sub: "x", show: idOf(show), role: "host", name: "x", exp: 9e9 }),
    ).toString("base64url");
    refused(await world.call(`POST ${show}/start`, { bearer: forged.join(".") }), 401, "badToken");
    const expired = await world.tokens.sign(
      { show: idOf(show), viewerId: "h", role: "host", name: "h" },
      -1000,
    );
    refused(await world.call(`POST ${show}/start`, { bearer: expired }), 401, "badToken");
  });

  const ROLES = ["viewer", "moderator", "host", "operator"] as const;
  test.each([
    ["POST", "/start", undefined, ["host"]],
    ["POST", "/drops", DROP, ["host"]],
    ["POST", "/pins", { sku: "tea" }, ["host"]],
    ["PUT", "/products/tea", { title: "茶", priceCents: 1, stock: 50 }, ["host"]],
    ["POST", "/mutes", { viewerId: "v", forMs: 1000 }, ["moderator", "host"]],
    ["DELETE", "/mutes/v", undefined, ["moderator", "host"]],
    ["GET", "/orders", undefined, ["host", "operator"]],
    ["GET", "/ledger", undefined, ["host", "operator"]],
  ] as const)(
    "[API4] %s %s is for the right roles of this show only",
    async (method, path, body, allowed) => {
      const show = await world.show();
      const more = body === undefined ? {} : { body };
      for (const role of ROLES) {
        const answer = await world.call(`${method} ${show}${path}`, {
          bearer: await tokenOf(idOf(show), role),
          ...more,
        });
        if ((allowed as readonly string[]).includes(role))
          expect(answer.status, `${role}: ${answer.text}`).toBeLessThan(300);
        else refused(answer, 403, "notAllowed");
      }
      refused(
        await world.call(`${method} ${show}${path}`, {
          bearer: await tokenOf("other", "host"),
          ...more,
        }),
        403,
        "notAllowed",
      );
    },
  );

  test("[API4] making shows and issuing operators is the admin's alone", async () => {
    const show = await world.show();
    const host = await tokenOf(idOf(show), "host");
    refused(
      await world.call("POST /v1/shows", { bearer: host, body: { id: "x", title: "x" } }),
      403,
      "notAllowed",
    );
    refused(await world.call("GET /v1/ops", { bearer: host }), 403, "notAllowed");
    expect(
      (await world.call("GET /v1/ops", { bearer: await tokenOf("", "operator") })).status,
    ).toBe(200);
  });

  test("[API4] what viewers see in the room is readable without a key, and nothing more", async () => {
    const show = await world.show();
    await world.call(`POST ${show}/drops`, { body: DROP });
    for (const path of ["", "/products", "/drops", "/pins"])
      expect((await world.call(`GET ${show}${path}`, { bearer: "" })).status).toBe(200);
    const seen = (await world.call(`GET ${show}`, { bearer: "" })).body;
    expect(Object.keys(seen)).not.toContain("orders");
  });
});

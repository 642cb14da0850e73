/** What is served besides the API's own calls: documents, pages, the demo; and what happens while Redis is away. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ControlWorld, startControlWorld } from "../helpers/control.ts";
import { until } from "../helpers/rooms.ts";
import { compressAll } from "../../server/supervisor/compress-pages.ts";

let world: ControlWorld;
beforeAll(async () => {
  world = await startControlWorld({ DEMO: "1", RT_PORT: "12345" });
});
afterAll(() => world.stop());

test("[API14] the documents come from the same schemas and list every call", async () => {
  const { text } = await world.call("GET /openapi.json", { bearer: "" });
  const { paths } = JSON.parse(text) as {
    paths: Record<string, Record<string, { summary?: string; responses: object }>>;
  };
  for (const path of [
    "/v1/shows",
    "/v1/shows/{show}/products",
    "/v1/shows/{show}/drops/{dropId}",
    "/v1/shows/{show}/tokens",
    "/v1/ops",
    "/healthz",
  ])
    expect(Object.keys(paths)).toContain(path);
  for (const calls of Object.values(paths))
    for (const one of Object.values(calls)) expect(one.summary).toBeTruthy();
  const docs = await fetch(`${world.url}/docs`);
  expect([docs.status, docs.headers.get("content-type")]).toEqual([
    200,
    expect.stringContaining("html"),
  ]);
});

test("[API15] pages: served with a policy against foreign scripts, assets kept for ever, addresses found by themselves", async () => {
  expect((await world.call("GET /watch/demo")).body.error).toMatchObject({ code: "noPages" });
  const pages = join(world.dataDir, "pages");
  mkdirSync(join(pages, "assets"), { recursive: true });
  for (const page of ["watch", "host", "ops"])
    writeFileSync(join(pages, `${page}.html`), `<!doctype html><title>${page}</title>`);
  writeFileSync(join(pages, "assets", "watch-abc123.js"), "export {};");
  for (const [path, title] of [
    ["/watch/demo", "watch"],
    ["/host/demo", "host"],
    ["/ops", "ops"],
  ] as const) {
    const page = await world.call(`GET ${path}`, { bearer: "" });
    expect([page.status, page.text]).toEqual([200, expect.stringContaining(title)]);
    expect(page.headers.get("content-security-policy")).toMatch(
      /script-src 'self'.*connect-src 'self' ws: wss:/,
    );
    expect(page.headers.get("cache-control")).toBe("no-cache");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
  }
  const asset = await world.call("GET /assets/watch-abc123.js", { bearer: "" });
  expect([asset.status, asset.headers.get("cache-control")]).toEqual([
    200,
    expect.stringContaining("immutable"),
  ]);
  expect((await world.call("GET /assets/none.js", { bearer: "" })).status).toBe(404);
  // A quarter of the bytes for who takes them compressed, the same headers, and caches told that there are several.
  const script = `export const words = "${"a room, a drop, a hold; ".repeat(400)}";`;
  writeFileSync(join(pages, "assets", "long-abc123.js"), script);
  writeFileSync(
    join(pages, "host.html"),
    `<!doctype html><title>host</title>${"<p></p>".repeat(400)}`,
  );
  await compressAll(pages);
  for (const [path, kept] of [
    ["/assets/long-abc123.js", "immutable"],
    ["/host/demo", "no-cache"],
  ] as const)
    for (const encoding of ["br", "gzip", "identity"]) {
      const headers = { "accept-encoding": encoding };
      const sent = await fetch(`${world.url}${path}`, { headers });
      expect(sent.headers.get("content-encoding") ?? "identity").toBe(encoding);
      expect(sent.headers.get("cache-control")).toContain(kept);
      expect(sent.headers.get("vary")).toContain("accept-encoding");
      expect(sent.headers.get("content-type")).toMatch(/javascript|html/);
      const bytes = Number(sent.headers.get("content-length"));
      expect(bytes < 1000).toBe(encoding !== "identity");
      if (path.startsWith("/assets")) expect(await sent.text()).toBe(script);
    }
  expect(
    (await world.call("GET /..%2f..%2fpackage.json", { bearer: "" })).status,
  ).toBeGreaterThanOrEqual(400);
  expect((await world.call("GET /v1/config", { bearer: "" })).body).toMatchObject({
    rtPort: 12_345,
    version: expect.any(String),
  });
  expect((await world.call("GET /", { bearer: "" })).headers.get("location")).toBe("/watch/demo");
});

test("[DEMO1] the demo is live, with its bag, a pin, a drop to come, and not one invented viewer, like or comment", async () => {
  const demo = "/v1/shows/demo";
  const facts = { state: "live", viewers: 0, likes: 0, shares: 0, comments: 0, products: 3 };
  expect((await world.call(`GET ${demo}`)).body).toMatchObject(facts);
  expect((await world.call(`GET ${demo}/pins`)).body).toEqual({ pinned: ["tea-box"] });
  const drops = async () => (await world.call(`GET ${demo}/drops`)).body.drops ?? [];
  const [first] = await drops();
  expect(first).toMatchObject({
    dropId: "teapot-1",
    state: "announced",
    priceCents: 9900,
    allotted: 30,
    perBuyerLimit: 1,
    holdMs: 120_000,
  });
  expect((first?.startsAtMs ?? 0) - Date.now()).toBeLessThanOrEqual(60_000);
  expect((first?.endsAtMs ?? 0) - (first?.startsAtMs ?? 0)).toBe(300_000);

  await world.restart();
  expect(await drops()).toHaveLength(1);
  await world.call(`POST ${demo}/drops/teapot-1/close`);
  await until(async () => (await drops()).length === 2);
  expect((await drops()).find((drop) => drop.dropId === "teapot-2")).toMatchObject({
    state: "announced",
    allotted: 30,
  });
  expect((await world.call(`GET ${demo}`)).body).toMatchObject(facts);
});

test("[API16] with Redis away the API says so with 503 and recovers by itself", async () => {
  await world.redis.kill("SIGKILL");
  await until(async () => {
    const { status, text } = await world.call("GET /v1/shows/demo", { bearer: "" });
    return status === 503 && text.includes("redisDown");
  });
  expect((await world.call("GET /healthz")).status).toBe(200);
  expect((await world.call("GET /readyz")).text).toContain("redis");
  expect((await world.call("GET /metrics")).text).toContain("dropcast_redis_up 0");
  await world.redis.restart();
  await until(async () => (await world.call("GET /v1/shows/demo", { bearer: "" })).status === 200);
});

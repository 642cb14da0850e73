/** What operators, shops and monitoring read: orders, ledger, live figures and their verdict, readiness, metrics. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Snapshot } from "../../server/control/snapshot.ts";
import { judge } from "../../server/control/verdict.ts";
import { MEDIA_KEY, NODES_KEY, showKeys } from "../../server/redis/keys.ts";
import { createInventory, type Inventory } from "../../server/shop/inventory.ts";
import {
  type Body,
  type ControlWorld,
  idOf,
  type Order,
  startControlWorld,
} from "../helpers/control.ts";
import { until } from "../helpers/rooms.ts";

let world: ControlWorld;
let shop: Inventory;
beforeAll(async () => {
  world = await startControlWorld();
  shop = createInventory(world.store);
});
afterAll(() => world.stop());

/** `count` buyers hold and pay; the control process's own cashier makes the orders. @returns the show's path */
async function soldShow(count: number): Promise<string> {
  const show = await world.show();
  await world.call(`POST ${show}/drops`, {
    body: { sku: "tea", priceCents: 4900, allotment: 50, dropId: "d" },
  });
  const buyers = Array.from({ length: count }, (_, i) => ({
    viewerId: `-v${i}`,
    key: `k${i}`,
    dropId: "d",
    quantity: 1,
  }));
  await shop.decide(
    idOf(show),
    buyers.flatMap(
      (b) =>
        [
          { what: "hold", ...b },
          { what: "pay", ...b },
        ] as const,
    ),
  );
  await until(async () => (await world.store.hlen(showKeys(idOf(show)).orders)) === count);
  return show;
}

test("[API10] orders come in pages, oldest first, and whole as CSV; they add up to the ledger", async () => {
  const show = await soldShow(25);
  const all: Order[] = [];
  let cursor: number | null = 0;
  for (let pages = 0; cursor !== null; pages++) {
    const page: Body = (await world.call(`GET ${show}/orders?limit=10&cursor=${cursor}`)).body;
    expect(page.orders?.length).toBe(pages < 2 ? 10 : 5);
    all.push(...(page.orders ?? []));
    cursor = page.nextCursor ?? null;
  }
  expect(all.map((order) => order.orderId)).toEqual(
    Array.from({ length: 25 }, (_, i) => `D${String(i + 1).padStart(6, "0")}`),
  );
  const csv = await world.call(`GET ${show}/orders?format=csv`);
  expect(csv.headers.get("content-type")).toContain("text/csv");
  const lines = csv.text.trimEnd().split("\r\n");
  expect(lines).toHaveLength(26);
  expect(lines[0]).toBe("orderId,holdId,viewerId,dropId,sku,quantity,amountCents,state,atMs,flags");
  // A spreadsheet must not take an id for a formula.
  expect(lines[1]).toMatch(/^D000001,k\d+,'-v\d+,d,tea,1,4900,sold,\d+,$/);

  const ledger = await world.call(`GET ${show}/ledger`);
  expect(ledger.headers.get("content-type")).toContain("ndjson");
  const movements = ledger.text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, number> & { kind: string });
  expect(movements.map((m) => m["no"])).toEqual(movements.map((_, i) => i + 1));
  const sold = movements.filter((m) => m.kind === "sold");
  expect(sold.reduce((sum, m) => sum + (m["cents"] ?? 0), 0)).toBe(
    all.reduce((sum, o) => sum + o.amountCents, 0),
  );
  expect(movements.at(-1)).toMatchObject({
    kind: "sold",
    allotted: 50,
    available: 25,
    held: 0,
    sold: 25,
    dropId: "d",
  });
});

test("[API11] alive is one thing, ready another: it takes a gateway", async () => {
  expect(await world.call("GET /healthz", { bearer: "" })).toMatchObject({
    status: 200,
    body: { ok: true },
  });
  const before = await world.call("GET /readyz", { bearer: "" });
  expect([before.status, before.text]).toEqual([503, expect.stringContaining("gateway")]);
  const report = {
    node: "gw-1",
    role: "gateway",
    pid: 1,
    viewers: 3,
    holdP99Ms: 31.4,
    closes: {},
    holdP50Ms: null,
  };
  await world.store.hset(NODES_KEY, "gw-1", JSON.stringify({ ...report, atMs: Date.now() - 6000 }));
  expect((await world.call("GET /readyz", { bearer: "" })).status).toBe(503);
  await world.store.hset(NODES_KEY, "gw-1", JSON.stringify({ ...report, atMs: Date.now() }));
  expect((await world.call("GET /readyz", { bearer: "" })).status).toBe(200);
});

interface Ops {
  readonly level: string;
  readonly sentence: { en: string; zh: string };
  readonly nodes: readonly { node: string; role: string; figures: Record<string, number> }[];
  readonly media: readonly { node: string; sessions: number }[];
  readonly shows: readonly {
    id: string;
    likes: number;
    drops: readonly { dropId: string; held: number }[];
  }[];
  readonly redis: { version: string; usedMemoryBytes: number; appendfsync: string };
}

test("[API12] one snapshot for the operator: processes, shows with their books, Redis, and the sentence", async () => {
  const show = await soldShow(1);
  await world.store.hset(
    NODES_KEY,
    "gw-1",
    JSON.stringify({
      node: "gw-1",
      role: "gateway",
      pid: 1,
      atMs: Date.now(),
      holdP99Ms: 31.4,
      closes: { tooSlow: 1 },
    }),
  );
  await world.store.hset(
    MEDIA_KEY,
    "m-1",
    JSON.stringify({
      node: "m-1",
      untilMs: Date.now() + 5000,
      sessions: 2,
      workers: [{ pid: 9, cpu: 0.1, consumers: 4 }],
    }),
  );
  await world.store.hset(
    MEDIA_KEY,
    "m-0",
    JSON.stringify({ node: "m-0", untilMs: Date.now() - 1, sessions: 9, workers: [] }),
  );
  await until(async () => (await world.store.hexists(NODES_KEY, "test-control-0")) === 1);
  const ops = JSON.parse((await world.call("GET /v1/ops")).text) as Ops;
  expect(ops.nodes.map((node) => [node.node, node.role])).toEqual([
    ["gw-1", "gateway"],
    ["test-control-0", "control"],
  ]);
  expect(ops.nodes[0]?.figures).toEqual({ holdP99Ms: 31.4 });
  expect(ops.nodes[1]?.figures).toMatchObject({
    rssBytes: expect.any(Number),
    sweeperLagMs: expect.any(Number),
    ledgersStuck: 0,
    ledgersWaiting: 0,
    cpu: expect.any(Number),
  });
  expect(ops.media.map((media) => media.node)).toEqual(["m-1"]);
  expect(ops.shows.find((one) => one.id === idOf(show))).toMatchObject({
    likes: 0,
    orders: 1,
    drops: [{ dropId: "d", held: 0, sold: 1, available: 49 }],
  });
  expect(ops.redis).toMatchObject({
    version: expect.stringMatching(/^\d+\./),
    appendfsync: "always",
  });
  expect(["ok", "warn"]).toContain(ops.level);
  expect([ops.sentence.en, ops.sentence.zh]).toEqual([
    expect.stringMatching(/\w/),
    expect.stringMatching(/\p{Script=Han}/u),
  ]);
});

const WELL: Snapshot = {
  atMs: 0,
  nowMs: 0,
  media: [],
  shows: [],
  sweeperLagMs: 100,
  ledgers: { stuck: [], waiting: [] },
  nodes: [{ node: "g", role: "gateway", pid: 1, atMs: 0, figures: {} }],
  redis: { version: "7", usedMemoryBytes: 1, appendfsync: "always", opsPerSecond: 1, clients: 1 },
  payments: { inFlight: 0, paid: 0, declined: 0, refunded: 0, retries: 0 },
};
test("[API12] when all is well the sentence says how many nodes there are, and how fast they answer", () => {
  const gateway = { role: "gateway", pid: 1, atMs: 0 };
  const nodes = [
    { ...gateway, node: "g1", figures: { holdP99Ms: 12 } },
    { ...gateway, node: "g2", figures: { holdP99Ms: 31.4 } },
  ];
  expect(judge({ ...WELL, nodes }, false)).toEqual({
    level: "ok",
    sentence: {
      en: "All drops safe. 2 nodes. p99 31 ms.",
      zh: "所有抢购正常。2 个节点。p99 31 毫秒。",
    },
    findings: [],
  });
});

test.each<[string, Partial<Snapshot>, string, RegExp]>([
  ["nothing", {}, "ok", /All drops safe/],
  ["no gateway", { nodes: [] }, "stop", /No gateway/],
  ["late sweeps", { sweeperLagMs: 1500 }, "warn", /1500 ms late/],
  [
    "weak durability",
    { redis: { ...WELL.redis, appendfsync: "everysec" } },
    "warn",
    /appendfsync everysec/,
  ],
  [
    "slow holds",
    { nodes: [{ node: "g7", role: "gateway", pid: 1, atMs: 0, figures: { holdP99Ms: 900 } }] },
    "warn",
    /900 ms at p99 \(g7\)/,
  ],
  ["stuck payments", { payments: { ...WELL.payments, inFlight: 64 } }, "warn", /64 payments/],
  [
    "a ledger that stands still",
    { ledgers: { stuck: [{ show: "s", reason: "movement 3 is not the same" }], waiting: [] } },
    "stop",
    /show s stand still: movement 3/,
  ],
  ["replicas away", { ledgers: { stuck: [], waiting: ["s"] } }, "warn", /show s wait/],
  ["the worst speaks", { sweeperLagMs: 1500, nodes: [] }, "stop", /No gateway/],
])("[API12] the sentence with %s", (_, change, level, words) => {
  const verdict = judge({ ...WELL, ...change }, false);
  expect([verdict.level, verdict.sentence.en]).toEqual([level, expect.stringMatching(words)]);
  expect(verdict.sentence.zh).toMatch(/\p{Script=Han}/u);
  expect(verdict.remedy === undefined).toBe(level === "ok");
});

test("[API13] metrics: every name begins with dropcast_, and the books of drops are among them", async () => {
  const show = await soldShow(2);
  const { status, text } = await world.call("GET /metrics", { bearer: "" });
  expect(status).toBe(200);
  const names = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  expect(names.filter((line) => !line.startsWith("dropcast_"))).toEqual([]);
  expect(text).toContain(`dropcast_drop_units{show="${idOf(show)}",drop="d",book="sold"} 2`);
  expect(text).toContain("dropcast_redis_up 1");
  expect(text).toMatch(/^dropcast_connections_spread 1$/m);
  expect(text).toMatch(/dropcast_node_rss_bytes\{node="test-control-0",role="control"\} \d+/);
  expect(text).toMatch(
    /dropcast_http_requests_total\{method="POST",route="\/v1\/shows",status="201"\} \d+/,
  );
});

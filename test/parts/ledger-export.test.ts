/** The ledger as people get it: exports and the key over HTTP, `npm run verify`, the public proof. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectDir } from "../../server/config.ts";
import { showKeys } from "../../server/redis/keys.ts";
import { createInventory, type DropRequest, type Inventory } from "../../server/shop/inventory.ts";
import { liveDrops, readLedger } from "../helpers/books.ts";
import { type ControlWorld, idOf, refused, startControlWorld } from "../helpers/control.ts";
import { flip } from "../helpers/ledger.ts";
import { until } from "../helpers/rooms.ts";

let world: ControlWorld;
let inventory: Inventory;
let path: string;
let show: string;
const folder = mkdtempSync(join(tmpdir(), "dropcast-verify-"));
beforeAll(async () => {
  world = await startControlWorld();
  inventory = createInventory(world.store);
  path = await world.show();
  show = idOf(path);
  for (const [dropId, priceCents] of [
    ["tea-1", 4999],
    ["tea-2", 1],
  ] as const)
    await world.call(`POST ${path}/drops`, {
      body: { dropId, sku: "tea", priceCents, allotment: 40, perBuyerLimit: 3 },
    });
  await sell();
  const signed = fileOf("checkpoints.ndjson");
  // One that covers all of it: a proof goes no further than the last.
  const { length } = await readLedger(world.store, show);
  const covers = `"no":${length},`;
  await until(() => existsSync(signed) && readFileSync(signed, "utf8").includes(covers), 15_000);
  await until(
    async () => (await verify("--show", show, "--json")).out.includes('"ahead":0'),
    15_000,
  );
});
afterAll(async () => {
  await world.stop();
  rmSync(folder, { recursive: true });
});

const fileOf = (name: string): string => join(world.dataDir, "ledger", show, name);

async function sell(): Promise<void> {
  for (let i = 0; i < 30; i++) {
    const request = { viewerId: `v${i % 20}`, key: `=k,"${i}"`, quantity: 1 + (i % 2) };
    const ask = (what: DropRequest["what"], dropId = "") => ({ ...request, what, dropId });
    await inventory.decide(show, [ask("hold", i % 3 === 0 ? "tea-2" : "tea-1")]);
    if (i % 4 < 2) await inventory.decide(show, [ask("pay"), ask("settle")]);
    if (i % 4 === 2) await inventory.decide(show, [ask("cancel")]);
  }
  await inventory.close(show, "tea-2");
}

interface Said {
  readonly code: number | null;
  readonly out: string;
}

/** `npm run verify`, without npm. */
function verify(...args: readonly string[]): Promise<Said> {
  return run(["--data-dir", world.dataDir, "--redis", world.redis.url, ...args]);
}

async function run(args: readonly string[]): Promise<Said> {
  const child = spawn(process.execPath, [join(projectDir, "server/shop/verify.ts"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, out };
}

/** RFC 4180. */
const cellsOf = (line: string): string[] =>
  [...line.matchAll(/(?:^|,)("(?:[^"]|"")*"|[^,]*)/g)].map(([, cell = ""]) =>
    cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell,
  );

test("[LEDGER17][I6][I8] CSV and NDJSON sum to the ledger, to the live books and to the orders, to the cent", async () => {
  const csv = await world.call(`GET ${path}/ledger.csv`);
  const ndjson = await world.call(`GET ${path}/ledger.ndjson`);
  expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8");
  expect(ndjson.headers.get("content-disposition")).toContain(`${show}-ledger.ndjson`);
  const [head = "", ...rows] = csv.text.trimEnd().split("\r\n");
  const columns = cellsOf(head);
  const fromCsv = rows.map((row) =>
    Object.fromEntries(cellsOf(row).map((cell, i) => [columns[i], cell])),
  );
  const lines = ndjson.text.trimEnd().split("\n");
  const fromJson = lines.map((line) => JSON.parse(line) as Record<string, string | number>);
  expect(fromCsv.map((row) => ({ ...row, holdId: row["holdId"]?.replace(/^'/, "") }))).toEqual(
    fromJson.map((row) => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, String(v)]))),
  );
  const ledger = await readLedger(world.store, show);
  expect(fromJson.map(({ no, kind, cents, sold }) => ({ no, kind, cents, sold }))).toEqual(
    ledger.map(({ no, kind, cents, books: { sold } }) => ({ no, kind, cents, sold })),
  );

  const orders = Object.values(await world.store.hgetall(showKeys(show).orders)).map(
    (json) => JSON.parse(json) as { dropId: string; amountCents: number },
  );
  for (const drop of await liveDrops(world.store, show)) {
    const sum = (name: string, kinds: readonly string[]): number =>
      fromJson
        .filter(({ dropId, kind }) => dropId === drop.dropId && kinds.includes(String(kind)))
        .reduce((total, row) => total + Number(row[name]), 0);
    const given = sum("quantity", ["held"]);
    const back = sum("quantity", ["expired", "cancelled"]);
    const sold = sum("quantity", ["sold"]);
    expect([sold, given - back - sold]).toEqual([drop.sold, drop.held]);
    expect(sum("quantity", ["allotted"])).toBe(
      drop.available + drop.held + drop.sold + drop.writtenOff,
    );
    expect(sum("cents", ["sold"])).toBe(
      orders.reduce((total, o) => total + (o.dropId === drop.dropId ? o.amountCents : 0), 0),
    );
    expect(sum("cents", ["sold"])).toBeGreaterThan(0);
  }
});

test("[LEDGER17] exports are for host and operator; the key is for everybody", async () => {
  for (const ending of ["csv", "ndjson"]) {
    refused(await world.call(`GET ${path}/ledger.${ending}`, { bearer: "" }), 401, "noToken");
    const viewer = await world.tokens.sign({ show, viewerId: "v", role: "viewer", name: "v" });
    refused(
      await world.call(`GET ${path}/ledger.${ending}`, { bearer: viewer }),
      403,
      "notAllowed",
    );
    const host = await world.tokens.sign({ show, viewerId: "h", role: "host", name: "h" });
    expect((await world.call(`GET ${path}/ledger.${ending}`, { bearer: host })).status).toBe(200);
  }
  const key = await world.call("GET /v1/ledger/key", { bearer: "" });
  expect(key.status).toBe(200);
  expect(JSON.parse(key.text)).toMatchObject({ algorithm: "Ed25519" });
  expect(readFileSync(join(world.dataDir, "ledger-key.pub"), "utf8")).toBe(
    (JSON.parse(key.text) as { pem: string }).pem,
  );
  expect(statSync(join(world.dataDir, "ledger-key")).mode & 0o777).toBe(0o600);
});

test("[LEDGER18][I6] npm run verify: good ones in figures, in both languages, with and without Redis", async () => {
  const good = await verify("--show", show);
  expect(good.out).toContain(`✓ 场次 ${show} 的账本无误 · The ledger of show ${show} verifies`);
  expect(good.out).toMatch(
    /same as Redis: \d+ 条分录 entries, 30 次保留 holds, 15|1\d 笔订单 orders/,
  );
  expect(good.code).toBe(0);
  const filesOnly = await verify("--show", show, "--redis", "no");
  expect(filesOnly.out).toContain("files only");
  expect(filesOnly.code).toBe(0);
  const unreachable = await verify("--show", show, "--redis", "unix:///nowhere/redis.sock");
  expect([unreachable.code, unreachable.out.includes("files only")]).toEqual([0, true]);
  const help = await run(["--help"]);
  expect([help.code, help.out.includes("--proof-file")]).toEqual([0, true]);
  for (const wrong of [[], ["--show", "nothing"], ["--shwo", "x"], ["--proof-file", "/nowhere"]])
    expect((await verify(...wrong)).code, wrong.join(" ")).toBe(2);
});

test("[LEDGER18][I6] npm run verify: one flipped bit, and it names the file, the line and the entry", async () => {
  const file = fileOf("000001.ndjson");
  const bytes = readFileSync(file);
  const position = bytes.indexOf('"no":7,') + 40;
  flip(file, position, 2);
  const bad = await verify("--show", show);
  const asJson = await verify("--show", show, "--json");
  writeFileSync(file, bytes);
  expect(bad.out).toContain("first bad entry: 000001.ndjson:7, no 7");
  expect(bad.code).toBe(1);
  expect(JSON.parse(asJson.out)).toMatchObject({ ok: false, firstBad: { no: 7, line: 7 } });
});

test("[LEDGER19] the public proof hides who bought, and verifies without server or data folder", async () => {
  const printed = await verify("--show", show, "--proof");
  expect(printed.code).toBe(0);
  expect(printed.out).not.toMatch(/"v\d+"|=k|salt/i);
  const file = join(folder, "proof.ndjson");
  expect((await verify("--show", show, "--proof", file)).code).toBe(0);
  expect(readFileSync(file, "utf8")).toBe(printed.out);

  const elsewhere = mkdtempSync(join(folder, "empty-"));
  const proven = await run(["--data-dir", elsewhere, "--proof-file", file, "--json"]);
  expect(proven.code).toBe(0);
  const ledger = JSON.parse((await verify("--show", show, "--json")).out) as Record<
    string,
    unknown
  >;
  for (const figure of ["unitsSold", "cents", "drops", "mostPerBuyer", "keyFingerprint"])
    expect((JSON.parse(proven.out) as Record<string, unknown>)[figure], figure).toEqual(
      ledger[figure],
    );

  const pem = join(folder, "key.pem");
  const { text } = await world.call("GET /v1/ledger/key");
  writeFileSync(pem, (JSON.parse(text) as { pem: string }).pem);
  expect((await run(["--proof-file", file, "--key", pem])).code).toBe(0);
  flip(file, 2000, 1);
  expect((await run(["--proof-file", file])).code).toBe(1);
});

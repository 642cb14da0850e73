/** Durability classes of drops at their edges: who may choose which, what stands still on a new primary, what a journal keeps. */
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { showKeys } from "../../server/redis/keys.ts";
import { type Journal, KEEP_MS, openJournal } from "../../server/shop/journal.ts";
import { startRecovery } from "../../server/shop/recovery.ts";
import { type ControlWorld, refused, startControlWorld } from "../helpers/control.ts";
import { until } from "../helpers/rooms.ts";
import { type Shop, startShop } from "../helpers/shop.ts";
import { eventsOf } from "../scenario/checks.ts";

const log = pino({ level: "silent" });
let shop: Shop;
let world: ControlWorld;
let dataDir: string;
let nowMs = Date.now();
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "dropcast-journal-"));
  [shop, world] = await Promise.all([startShop({ fsyncAlways: true }), startControlWorld()]);
});
afterAll(async () => {
  await Promise.all([shop.stop(), world.stop()]);
  rmSync(dataDir, { recursive: true, force: true });
});

const journalOf = (node: string): Journal =>
  openJournal({ dataDir, node, nowMs: () => nowMs, log });

const held = (viewerId: string, more: Partial<{ deadlineMs: number }> = {}) => ({
  viewerId,
  key: "k",
  dropId: "d",
  quantity: 1,
  coupons: [],
  deadlineMs: nowMs + 60_000,
  ...more,
});

test("[DUR6] disk by default; replica only with replicas; memory only before the show, which does not start while it lasts", async () => {
  const show = await world.show();
  const drop = { sku: "tea", priceCents: 4900, allotment: 5 };
  const make = (durability?: string, dropId?: string) =>
    world.call(`POST ${show}/drops`, { body: { ...drop, durability, dropId } });
  expect((await make()).body).toMatchObject({ durability: "disk" });
  refused(await make("replica"), 409, "noReplicas");
  refused(await make("paper"), 400, "wrongBody");
  expect((await make("memory", "m")).body).toMatchObject({ durability: "memory", state: "open" });
  const early = refused(await world.call(`POST ${show}/start`), 409, "rehearsing");
  expect(early.messageZh).toMatch(/\p{Script=Han}/u);
  await world.call(`POST ${show}/drops/m/close`);
  expect((await world.call(`POST ${show}/start`)).status).toBe(200);
  expect(refused(await make("memory"), 409, "notRehearsal")).toMatchObject({ field: "durability" });
});

test("[DUR7][F1][I2] on another primary a drop of class replica stands still: nothing is taken, opened, closed or offered", async () => {
  const show = await shop.open({ durability: "replica", allotment: 1, holdMs: 300 });
  await shop.hold(show, "ann");
  await shop.ask(show, { what: "wait", viewerId: "bob" });
  await shop.redis.hset(showKeys(show).meta, "primary", "another");
  expect(await shop.hold(show, "cat")).toEqual(["paused"]);
  await new Promise((resolve) => setTimeout(resolve, 320));
  await shop.nodes[0].sweep(show);
  // The hold has ended, and nobody in line is offered its unit yet.
  expect(await shop.theDrop(show)).toMatchObject({ state: "soldOut", available: 1, held: 0 });
  expect(await shop.nodes[0].close(show, "d")).toBe("closed");
  expect(await shop.theDrop(show)).toMatchObject({ state: "soldOut" });
  await shop.checkBooks(show);
});

test("[DUR8][F1] a recovery brings back what the journal has: once, new epoch, then the line is served and the sale goes on", async () => {
  const show = await shop.open({ durability: "replica", allotment: 3 });
  const { meta } = showKeys(show);
  const before = await shop.redis.hget(meta, "epoch");
  const journal = journalOf("one");
  journal.note(show, before ?? "", held("ann"), "told");
  journal.note(show, before ?? "", held("bob"), "decided");
  journal.note(show, before ?? "", held("cat"), "told");
  journal.note(show, before ?? "", held("cat"), "ended");
  await shop.hold(show, "cat");
  await shop.redis.hset(meta, "primary", "another");
  const recovery = startRecovery({
    redis: shop.redis,
    inventory: shop.nodes[0],
    journal,
    node: "one",
    shows: () => [],
    allShows: () => [],
    log,
  });
  await until(async () => (await shop.hold(show, "dan"))[0] === "held");
  await until(async () => (await shop.theDrop(show)).held === 3);
  await recovery.stop();
  await journal.stop();
  const epoch = await shop.redis.hget(meta, "epoch");
  expect(epoch).not.toBe(before);
  expect(journal.strangers(show, epoch ?? "")).toEqual([]);
  expect((await shop.redis.hkeys(showKeys(show).holds)).sort()).toEqual([
    "ann|k",
    "bob|k",
    "cat|k",
    "dan|k",
  ]);
  await shop.checkBooks(show);
});

test("[DUR9][I2][I4] a journal that comes too late: what no longer fits is counted and ended, never sold twice", async () => {
  const show = await shop.open({ durability: "replica", allotment: 1 });
  await shop.hold(show, "bob");
  const reapply = (viewerId: string, wasTold: boolean) =>
    shop.ask(show, {
      what: "reapply",
      viewerId,
      dropId: "d",
      before: { deadlineMs: Date.now() + 60_000, wasTold },
    });
  expect((await reapply("ann", true))[0]).toBe("overcommitted");
  expect((await reapply("eve", false))[0]).toBe("overcommitted");
  expect((await reapply("ann", true))[0]).toBe("known");
  expect((await reapply("bob", true))[0]).toBe("known");
  expect(await shop.redis.hget(showKeys(show).meta, "overcommitted")).toBe("1");
  expect(await shop.theDrop(show)).toMatchObject({ held: 1, available: 0 });
  expect((await shop.hold(show, "ann"))[0]).toBe("soldOut");
  await shop.checkBooks(show);
});

test("[DUR15][F1] holds that come back before their drop opens on the new primary: it opens, and is sold out, and the log says both", async () => {
  const startsAtMs = Date.now() + 400;
  const show = await shop.open({ durability: "replica", allotment: 1, startsAtMs });
  const before = { deadlineMs: startsAtMs + 60_000, wasTold: true };
  const back = { what: "reapply", viewerId: "ann", dropId: "d", before } as const;
  expect((await shop.ask(show, back))[0]).toBe("held");
  expect(await shop.theDrop(show)).toMatchObject({ state: "announced", available: 0, held: 1 });
  const told = async () => (await eventsOf(shop.redis, show)).map(({ kind }) => kind);
  await until(async () => {
    await shop.nodes[0].sweep(show);
    return (await told()).includes("dropOpened");
  });
  expect((await told()).filter((kind) => kind.startsWith("drop"))).toEqual([
    "dropAnnounced",
    "dropOpened",
    "dropSoldOut",
  ]);
  expect((await shop.hold(show, "bob"))[0]).toBe("soldOut");
  await shop.checkBooks(show);
});

const known = (journal: Journal): string[] =>
  journal.strangers("s", "e2").map(({ viewerId, state }) => `${viewerId} ${state}`);

test("[DUR11][F11] a node that leaves for good leaves its journal to another one, once, and that one keeps it over a crash", async () => {
  const [leaving, staying] = [journalOf("gw-0"), journalOf("gw-0b")];
  leaving.note("s", "e1", held("ann"), "told");
  leaving.note("s", "e1", held("bob"), "decided");
  staying.note("s", "e1", held("cat"), "told");
  await leaving.stop();
  leaving.leave();
  await until(() => known(staying).length === 3);
  const all = ["cat told", "ann told", "bob decided"];
  expect(known(staying)).toEqual(all);
  // As after a kill: only the disk is left.
  await until(() =>
    readdirSync(join(dataDir, "journal")).every((file) => !/^(left|adopting)/.test(file)),
  );
  const again = journalOf("gw-0b");
  const other = journalOf("gw-0");
  expect(known(again)).toEqual(all);
  expect(known(other)).toEqual([]);
  await Promise.all([staying.stop(), again.stop(), other.stop()]);
});

test("[DUR10][F7] a journal survives its process, forgets after ten minutes, and reads past a line that a crash cut short", async () => {
  const journal = journalOf("two");
  journal.note("s", "e1", held("ann"), "told");
  journal.note("s", "e1", held("bob"), "told");
  journal.note("s", "e1", held("bob"), "ended");
  journal.note("s", "e1", held("bob"), "decided");
  await journal.stop();
  const again = journalOf("two");
  expect(again.strangers("s", "e1")).toEqual([]);
  expect(again.strangers("s", "e2").map((record) => [record.viewerId, record.state])).toEqual([
    ["ann", "told"],
    ["bob", "ended"],
  ]);
  await again.stop();
  const file = join(dataDir, "journal", "two.ndjson");
  appendFileSync(file, '["s",{"viewerId":"cut');
  const torn = journalOf("two");
  torn.note("s", "e1", held("cat"), "told");
  await torn.stop();
  const mended = journalOf("two");
  expect(mended.strangers("s", "e2").map((record) => record.viewerId)).toEqual([
    "ann",
    "bob",
    "cat",
  ]);
  await mended.stop();
  nowMs += KEEP_MS + 1;
  const later = journalOf("two");
  expect([...later.shows()]).toEqual([]);
  await later.stop();
  expect(readFileSync(file, "utf8")).toBe("");
});

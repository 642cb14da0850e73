/** The tail on a real Redis: what the files hold, and what a crash, a second tail or another history costs. */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { ledgerFolder, segmentsIn } from "../../server/ledger/files.ts";
import { history } from "../../server/ledger/history.ts";
import { openLedgerKey } from "../../server/ledger/key.ts";
import { showKeys, SHOWS_KEY } from "../../server/redis/keys.ts";
import { bytesOf, newFolder } from "../helpers/ledger.ts";
import { until } from "../helpers/rooms.ts";
import { sleep } from "../helpers/shop.ts";
import { startTailing, type Tailing } from "../helpers/tailing.ts";

let world: Tailing;
beforeAll(async () => {
  world = await startTailing();
});
afterEach(() => world.stopTails());
afterAll(() => world.stop());

/** @returns once it tails */
async function tailProcess(dir: string, show: string): Promise<ChildProcess> {
  const file = fileURLToPath(new URL("ledger-process.ts", import.meta.url));
  const child = spawn(process.execPath, [file, world.shop.server.url, dir, show], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => child.stdout?.once("data", resolve));
  return child;
}
const killed = async (child: ChildProcess): Promise<void> => {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
};

test("[LEDGER11][F7] killed at any moment, a tail goes on: the files are those of a tail that was never killed", async () => {
  const show = await world.open({ allotment: 1000, perBuyerLimit: 99 });
  const killedDir = newFolder();
  cpSync(join(world.dataDir, "ledger-key"), join(killedDir, "ledger-key"));
  let count = 0;
  const selling = new AbortController();
  const sold = (async () => {
    while (!selling.signal.aborted) {
      await world.rush(show, count, 40);
      count += 40;
      await sleep(2);
    }
  })();
  for (let i = 0; i < 6; i++) {
    const child = await tailProcess(killedDir, show);
    await sleep(Math.random() * 120);
    await killed(child);
  }
  selling.abort();
  await sold;
  const last = await tailProcess(killedDir, show);
  await world.caughtUp(show, killedDir);
  await killed(last);

  world.tail([show], {
    limits: { maxSegmentBytes: 40_000, checkpointMovements: 1000, checkpointMs: 1000 },
  });
  await world.caughtUp(show);
  expect(segmentsIn(world.folderOf(show)).length).toBeGreaterThan(2);
  expect(segmentsIn(world.folderOf(show, killedDir))).toEqual(segmentsIn(world.folderOf(show)));
  expect(bytesOf(world.folderOf(show, killedDir)).equals(bytesOf(world.folderOf(show)))).toBe(true);
  const { bad, lastNo } = await world.auditOf(show, killedDir);
  expect({ bad, lastNo }).toEqual({ bad: undefined, lastNo: await world.newest(show) });
});

test("[LEDGER12] shows that come later and shows at rest are tailed too; an idle show costs one read a round", async () => {
  const awake = [await world.open()];
  const resting = await world.open();
  await world.shop.redis.sadd(SHOWS_KEY, resting);
  await world.rush(resting, 0, 10);
  world.tail(awake, { everyMs: 20 });
  await world.caughtUp(resting);
  await until(
    async () => (await world.auditOf(resting)).signedNo === (await world.newest(resting)),
  );
  const late = await world.open();
  awake.push(late);
  await world.rush(late, 0, 10);
  await world.caughtUp(late);
  await sleep(100);
  const before = await commandsSoFar();
  await sleep(400);
  const rounds = 400 / 20;
  expect((await commandsSoFar()) - before).toBeLessThan(rounds * awake.length + 10);
});

const commandsSoFar = async (): Promise<number> =>
  Number(/total_commands_processed:(\d+)/.exec(await world.shop.redis.info("stats"))?.[1]);

test("[LEDGER13] files that Redis contradicts are left alone, and said to be", async () => {
  const show = await world.open();
  await world.rush(show, 0, 20);
  const first = world.tail([show]);
  await world.caughtUp(show);
  await world.stopTail(first);
  const before = bytesOf(world.folderOf(show));
  // As after a failover that lost the newest entries, and went on differently.
  const { ledger, meta } = showKeys(show);
  const entries = await world.shop.redis.xrange(ledger, "-", "+");
  const [lostId = ""] = entries.at(-1) ?? [];
  await world.shop.redis.xdel(ledger, lostId);
  await world.shop.redis.hset(meta, "ledgerNo", Number.parseInt(lostId, 10) - 1);
  await world.shop.redis.xsetid(ledger, `${Number.parseInt(lostId, 10) - 1}-0`);
  await world.rush(show, 500, 20);
  const second = world.tail([show]);
  await until(() => second.stuck.has(show));
  expect(second.stuck.get(show)).toMatch(/movement \d+/);
  expect(bytesOf(world.folderOf(show)).equals(before)).toBe(true);
  expect((await world.compared(show)).bad).toBeDefined();
});

test("[LEDGER13][F7] Redis killed and back: the tail goes on without a gap", async () => {
  const show = await world.open();
  const tail = world.tail([show]);
  await world.rush(show, 0, 20);
  await world.caughtUp(show);
  await world.shop.server.kill("SIGKILL");
  await sleep(100);
  await world.shop.server.restart();
  await until(() =>
    Promise.all(world.shop.nodes.map((node) => node.sweep(show))).catch(() => false),
  );
  await world.rush(show, 100, 20);
  await world.caughtUp(show);
  expect(tail.stuck.get(show)).toBe(undefined);
  expect((await world.compared(show)).bad).toBe(undefined);
});

test("[LEDGER14] two tails on one folder: the second waits until the first has gone", async () => {
  const show = await world.open();
  await world.rush(show, 0, 20);
  const dir = newFolder();
  const folder = ledgerFolder(dir);
  const first = world.tail([show], { folder });
  await world.caughtUp(show, dir);
  const second = world.tail([show], { folder });
  await world.rush(show, 100, 20);
  await world.caughtUp(show, dir);
  expect(second.written).toBe(0);
  await world.stopTail(first);
  await world.rush(show, 200, 20);
  await world.caughtUp(show, dir);
  expect(second.written).toBeGreaterThan(0);
  expect((await world.auditOf(show, dir)).bad).toBe(undefined);
});

test("[LEDGER15] trimmed on request, Redis keeps what is not signed yet; the whole is still exported and verified", async () => {
  const show = await world.open();
  world.tail([show], { trims: true });
  await world.rush(show, 0, 30);
  await world.caughtUp(show);
  await world.rush(show, 100, 30);
  await world.caughtUp(show);
  await until(async () => (await world.shop.redis.xlen(showKeys(show).ledger)) < 3);
  const live = await world.compared(show);
  expect(live.bad).toBe(undefined);
  expect(live.same).toBeLessThan(await world.newest(show));
  const whole = () => history(world.shop.redis, show, world.folderOf(show));
  let count = 0;
  for await (const page of whole()) count += page.length;
  expect(count).toBe(await world.newest(show));
  rmSync(world.folderOf(show), { recursive: true });
  await expect(whole().next()).rejects.toThrow("neither");
});

test("[LEDGER16] the private key is the owner's alone, made once; stopping leaves the last movement signed", async () => {
  const show = await world.open();
  await world.rush(show, 0, 10);
  const tail = world.tail([show], { limits: { checkpointMs: 1e9, checkpointMovements: 1e9 } });
  await world.caughtUp(show);
  await until(async () => (await world.auditOf(show)).signedNo > 0);
  await world.rush(show, 100, 10);
  await world.caughtUp(show);
  expect((await world.auditOf(show)).signedNo).toBeLessThan(await world.newest(show));
  await world.stopTail(tail);
  expect((await world.auditOf(show)).signedNo).toBe(await world.newest(show));
  expect(openLedgerKey(world.dataDir).publicKey).toBe(world.key.publicKey);
  expect(readFileSync(join(world.dataDir, "ledger-key.pub"), "utf8")).toContain(
    world.key.publicKey.slice(0, 40),
  );
});

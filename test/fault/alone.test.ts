/** A gateway without a supervisor that dies with the primary: real processes, started again by hand. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connect } from "#sdk";
import { liveDrops, readLedger } from "../helpers/books.ts";
import { type Replicated, startReplicated, type TcpRedis } from "../helpers/redis-servers.ts";
import { ADMIN_KEY, freePort, startWorldOn, until, type World } from "../helpers/rooms.ts";
import { spawnServer, type StartedProcess } from "../helpers/server.ts";

let redis: Replicated;
let world: World<Replicated>;
let dataDir: string;
let port: number;
const processes: StartedProcess[] = [];
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "dropcast-alone-"));
  redis = await startReplicated(2);
  world = await startWorldOn(redis);
  port = await freePort();
});
afterEach(async () => {
  await Promise.all(processes.splice(0).map((one) => one.stop()));
  await world.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function gateway(): Promise<StartedProcess> {
  const env = { REDIS_URL: redis.url, ADMIN_KEY, RT_PORT: String(port), REPLICAS: "1" };
  const one = spawnServer({ command: "gateway", dataDir, env });
  processes.push(one);
  await one.printed(/ready/, 30_000);
  return one;
}

/** By process id, the names that are taken. */
const names = (): ReadonlyMap<number, string> =>
  new Map(
    readdirSync(join(dataDir, "alone")).map((name) => {
      const lock = readFileSync(join(dataDir, "alone", name, "lock"), "utf8");
      return [Number.parseInt(lock, 10), name];
    }),
  );

test("[DUR14][F1][F7] a gateway that runs alone is the same node after a crash, with its journal; two at a time never are", async () => {
  const [near, far] = redis.replicas as [TcpRedis, TcpRedis];
  const show = await world.show();
  const dropId = await world.drop(show, 10, { durability: "replica", holdMs: 300_000 });
  await until(async () => (await liveDrops(far.admin, show)).length === 1);
  const one = await gateway();
  const token = await world.tokens.sign({ show, viewerId: "ann", role: "viewer", name: "ann" });
  const ann = await connect({ url: `ws://127.0.0.1:${port}`, show, token });
  await redis.partition(far);
  expect(await ann.hold(dropId, { key: "ka" })).toMatchObject({ result: "held" });
  await redis.partition(near);
  process.kill(one.pid, "SIGKILL");
  await Promise.all([redis.primary.kill("SIGKILL"), one.exited]);
  await redis.promote(far);

  // Two at once, on the port and the folder of the one that died: one of them is it again.
  const both = await Promise.all([gateway(), gateway()]);
  expect(new Set(names().values())).toEqual(new Set([`gateway-${port}`, `gateway-${port}-2`]));
  expect(new Set(names().keys())).toEqual(new Set(both.map(({ pid }) => pid)));
  await until(async () => {
    const held = (await readLedger(far.admin, show)).filter(({ kind }) => kind === "held");
    return held.length === 1 && held[0]?.field === "ann|ka";
  }, 10_000);
  await until(() => ann.state.orders.get("ka")?.state === "held");
  ann.close();
}, 60_000);

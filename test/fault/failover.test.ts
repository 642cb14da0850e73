/**
 * The primary is lost: what its buyers were told still stands. Two gateways on a primary with two replicas, all real; the replica that
 * is promoted is the one that had not heard of the last holds.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { HoldAnswer, Live } from "#sdk";
import { connectRedis, whenReady } from "../../server/redis/connect.ts";
import { showKeys } from "../../server/redis/keys.ts";
import { addressFor } from "../../server/redis/place.ts";
import { checkHolds, checkLedger, liveDrops, type Movement, readLedger } from "../helpers/books.ts";
import {
  type Replicated,
  startCluster,
  startReplicated,
  type TcpRedis,
} from "../helpers/redis-servers.ts";
import { type Gateway, startWorldOn, until, type World } from "../helpers/rooms.ts";

let redis: Replicated;
let world: World<Replicated>;
let one: Gateway;
let two: Gateway;
let near: TcpRedis;
let far: TcpRedis;
let dataDir: string;
const gateway = (node: string): Promise<Gateway> =>
  world.gateway(node, { REPLICAS: "1", REPLICA_WAIT_MS: "150", DATA_DIR: dataDir });

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "dropcast-failover-"));
  redis = await startReplicated(2);
  [near, far] = redis.replicas as [TcpRedis, TcpRedis];
  world = await startWorldOn(redis);
  [one, two] = await Promise.all([gateway("one"), gateway("two")]);
});
afterEach(async () => {
  await world.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const isolate = async (...replicas: readonly TcpRedis[]): Promise<void> => {
  await Promise.all(replicas.map((replica) => redis.partition(replica)));
};

/** Everything a viewer's screen said about one key, in order. */
function screenOf(live: Live, key: string): string[] {
  const seen: string[] = [];
  live.on("orderChanged", (order) => order.holdId === key && seen.push(order.state));
  return seen;
}

const heldIn = (ledger: readonly Movement[], dropId: string): string[] =>
  ledger
    .filter((line) => line.kind === "held" && line.dropId === dropId)
    .map((line) => line.field.split("|")[1] as string);

const buyers = (show: string, count: number): Promise<Live[]> =>
  Promise.all(
    Array.from({ length: count }, (_, i) => world.join(i % 2 === 0 ? one : two, show, `b${i}`)),
  );

/** Buys until there is an answer, as a person would tap again. */
async function insist(live: Live, dropId: string, key: string): Promise<HoldAnswer> {
  for (;;) {
    try {
      return await live.hold(dropId, { key });
    } catch (fault) {
      expect(fault).toMatchObject({ name: "SdkFault", retryable: true });
    }
  }
}

test("[DUR1][F1] class replica: “held” with a replica, “pending” without, and the outcome follows by itself", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 10, { durability: "replica" });
  const [ann, bob] = await Promise.all([
    world.join(one, show, "ann"),
    world.join(one, show, "bob"),
  ]);
  expect(await ann.hold(dropId, { key: "ka" })).toMatchObject({ result: "held", holdId: "ka" });

  await isolate(near, far);
  const tab = await world.join(two, show, "bob");
  const seen = [screenOf(bob, "kb"), screenOf(tab, "kb")];
  expect(await bob.hold(dropId, { key: "kb" })).toEqual({ result: "pending" });
  // A second tap, another node, a newcomer: nobody is told what only the primary knows.
  expect(await tab.hold(dropId, { key: "kb" })).toEqual({ result: "pending" });
  const late = await world.join(two, show, "bob");
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(seen).toEqual([[], []]);
  expect(late.state.orders.size).toBe(0);

  await redis.reunite(near);
  await until(() => seen.every((states) => states.length > 0));
  expect(seen).toEqual([["held"], ["held"]]);
  expect(await until(() => late.state.orders.get("kb"))).toMatchObject({ state: "held" });
  expect(await bob.hold(dropId, { key: "kb" })).toMatchObject({ result: "held", holdId: "kb" });
  expect(heldIn(await readLedger(world.store, show), dropId)).toEqual(["ka", "kb"]);
});

test("[DUR2][F12] while replicas are away, drops of class disk sell as fast as ever", async () => {
  const show = await world.show();
  const guarded = await world.drop(show, 100, { durability: "replica" });
  const plain = await world.drop(show, 100);
  const lives = await buyers(show, 20);
  await isolate(near, far);
  const startedMs = performance.now();
  const pending = Promise.all(lives.map((live, i) => live.hold(guarded, { key: `g${i}` })));
  const held = await Promise.all(lives.map((live, i) => live.hold(plain, { key: `p${i}` })));
  expect(performance.now() - startedMs).toBeLessThan(140);
  expect(held.every((answer) => answer.result === "held")).toBe(true);
  expect((await pending).every((answer) => answer.result === "pending")).toBe(true);
  // Known to be away: nobody waits for the timeout any more.
  const againMs = performance.now();
  expect(await lives[0]?.hold(guarded, { key: "g0" })).toEqual({ result: "pending" });
  expect(performance.now() - againMs).toBeLessThan(100);
});

test("[DUR3][F1][I2][I3] primary lost, and a replica promoted that lacks acknowledged holds: all of them come back, none twice, in under 10 s", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 30, { durability: "replica", holdMs: 300_000 });
  const plain = await world.drop(show, 60, { holdMs: 300_000 });
  const lives = await buyers(show, 40);
  const told = new Map<string, HoldAnswer>();
  const tap = async (from: number, to: number, drop = dropId): Promise<string[]> => {
    const taps = lives.slice(from, to).map(async (live, n) => {
      const key = `${drop}-${from + n}`;
      const answer = await live.hold(drop, { key });
      if (drop === dropId) told.set(key, answer);
      return answer.result;
    });
    return [...new Set(await Promise.all(taps))];
  };
  // Ten that both replicas know; ten that only the near one knows; five that only the primary knows.
  expect(await tap(0, 10)).toEqual(["held"]);
  await until(async () => heldIn(await readLedger(far.admin, show), dropId).length === 10);
  await isolate(far);
  expect(await tap(10, 20)).toEqual(["held"]);
  expect(await tap(0, 10, plain)).toEqual(["held"]);
  expect((await lives[3]?.cancel(`${dropId}-3`))?.result).toBe("cancelled");
  await until(() => lives[3]?.state.orders.get(`${dropId}-3`)?.state === "cancelled");
  await isolate(near);
  expect(await tap(20, 25)).toEqual(["pending"]);

  await redis.primary.kill("SIGKILL");
  const lostMs = performance.now();
  const later = Promise.all(
    lives.slice(25).map((live, n) => insist(live, dropId, `${dropId}-${25 + n}`)),
  );
  await redis.promote(far);
  const answers = await later;
  const pauseMs = performance.now() - lostMs;
  expect(pauseMs).toBeLessThan(10_000);
  const late = answers.filter((answer) => answer.result === "held").length;
  expect(answers.filter((answer) => answer.result === "soldOut")).toHaveLength(15 - late);

  const acknowledged = [...told].filter(([, a]) => a.result === "held").map(([key]) => key);
  expect(acknowledged).toHaveLength(20);
  // Those who were told "pending" hear how it ended, after those who came while the drop stood still may have come before them.
  const outcomes = await until(() => {
    const orders = lives
      .slice(20, 25)
      .map((live, n) => live.state.orders.get(`${dropId}-${20 + n}`)?.state);
    return orders.every((state) => state === "held" || state === "cancelled") ? orders : undefined;
  });
  const ledger = await readLedger(far.admin, show);
  const kept = heldIn(ledger, dropId);
  expect(new Set(kept).size, "none is doubled").toBe(kept.length);
  expect(kept, "none is lost").toEqual(expect.arrayContaining(acknowledged));
  const pending = outcomes.filter((state) => state === "held").length;
  expect(kept).toHaveLength(acknowledged.length + late + pending);
  // One was cancelled: 30 units, 31 holds.
  expect(kept).toHaveLength(31);
  const [drop] = (await liveDrops(far.admin, show)).filter((d) => d.dropId === dropId);
  expect(drop).toMatchObject({ held: 30, available: 0 });
  checkLedger(ledger, await liveDrops(far.admin, show));
  checkHolds(ledger, false);
  expect(await far.admin.hget(showKeys(show).meta, "overcommitted")).toBeNull();
  // What docs say of class disk: a promoted replica may lack what the lost primary had synced and told.
  expect(heldIn(ledger, plain)).toHaveLength(0);
  console.info(`pause: ${Math.round(pauseMs)} ms`);
}, 60_000);

test("[DUR4][F1][F7] a gateway that dies with the primary brings its journal from the disk", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 10, { durability: "replica", holdMs: 300_000 });
  const ann = await world.join(one, show, "ann", { url: [one.url, two.url] });
  await until(async () => (await liveDrops(far.admin, show)).length === 1);
  await isolate(far);
  expect(await ann.hold(dropId, { key: "ka" })).toMatchObject({ result: "held" });
  await redis.primary.kill("SIGKILL");
  await one.stop();
  await redis.promote(far);
  await gateway("one");
  await until(async () => heldIn(await readLedger(far.admin, show), dropId).length === 1);
  const bob = await world.join(two, show, "bob");
  expect(await insist(bob, dropId, "kb")).toMatchObject({ result: "held" });
  expect(heldIn(await readLedger(far.admin, show), dropId)).toEqual(["ka", "kb"]);
}, 60_000);

test("[DUR5] two primaries in sight: none is used until one has been demoted", async () => {
  await redis.promote(near);
  const client = connectRedis(redis.url, "command");
  await expect(whenReady(client, 700)).rejects.toThrow("two primaries");
  await redis.primary.admin.replicaof("127.0.0.1", near.port);
  await whenReady(client);
  await client.set("where", "near");
  expect(await near.admin.get("where")).toBe("near");
  client.disconnect();
});

test("[DUR12] when one connection has found another primary, those that are silent or only read leave the old one too", async () => {
  const [silent, writing] = [
    connectRedis(redis.url, "subscriber"),
    connectRedis(redis.url, "command"),
  ];
  await Promise.all([whenReady(silent), whenReady(writing)]);
  await redis.promote(near);
  await redis.primary.admin.replicaof("127.0.0.1", near.port);
  expect(await silent.get("where")).toBeNull();
  await until(() =>
    writing.set("where", "near").then(
      () => true,
      () => false,
    ),
  );
  await until(async () => (await silent.info("replication")).includes("role:master"));
  for (const client of [silent, writing]) client.disconnect();
});

test("[CLU6][F1] a Cluster replaces a lost primary: what was told stands, and its show sells on", async () => {
  const cluster = await startCluster(1);
  const other = await startWorldOn(cluster);
  const front = await other.gateway("front", { REPLICAS: "1", DATA_DIR: dataDir });
  const show = await other.show();
  const dropId = await other.drop(show, 10, { durability: "replica" });
  const ann = await other.join(front, show, "ann");
  const bob = await other.join(front, show, "bob");
  await until(async () => (await ann.hold(dropId, { key: "ka" })).result === "held");
  const lost = addressFor(other.store, showKeys(show).meta);
  await cluster.nodes.find((node) => node.address === lost)?.kill("SIGKILL");
  const lostMs = performance.now();
  // The only replica is the primary now: told when it has one of its own again.
  expect(await insist(bob, dropId, "kb")).toEqual({ result: "pending" });
  console.info(`pause in a Cluster: ${Math.round(performance.now() - lostMs)} ms`);
  const ledger = await readLedger(other.store, show);
  expect(heldIn(ledger, dropId)).toEqual(["ka", "kb"]);
  checkLedger(ledger, await liveDrops(other.store, show));
  expect(ann.state.orders.get("ka")).toMatchObject({ state: "held" });
  await other.stop();
}, 60_000);

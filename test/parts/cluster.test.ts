/** Dropcast on a real Redis Cluster of three nodes: two gateways, the cashier, three shows that live on three servers. */
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Live } from "#sdk";
import { connectRedis, whenReady } from "../../server/redis/connect.ts";
import { checkExternalRedis } from "../../server/redis/external.ts";
import { showKeys } from "../../server/redis/keys.ts";
import { addressFor, slotOf } from "../../server/redis/place.ts";
import { readShows } from "../../server/control/reading.ts";
import { type Cashier, startCashier } from "../../server/shop/cashier.ts";
import { createSandbox } from "../../server/shop/sandbox.ts";
import { checkHolds, checkLedger, liveDrops, readLedger } from "../helpers/books.ts";
import { type RedisCluster, startCluster } from "../helpers/redis-servers.ts";
import { type Gateway, startWorldOn, until, type World } from "../helpers/rooms.ts";

let world: World<RedisCluster>;
let one: Gateway;
let two: Gateway;
let cashier: Cashier;
let shows: string[];
beforeAll(async () => {
  world = await startWorldOn(await startCluster());
  [one, two] = await Promise.all([world.gateway(), world.gateway()]);
  // One show per server.
  const places = new Map<string, string>();
  while (places.size < 3) {
    const show = await world.show();
    places.set(addressFor(world.store, showKeys(show).meta) ?? "", show);
  }
  shows = [...places.values()];
  cashier = startCashier({
    blocking: connectRedis(world.redis.url, "blocking"),
    redis: world.store,
    inventory: world.inventory,
    adapter: createSandbox(10),
    consumer: "cashier",
    shows: () => shows,
    currencyOf: async () => "CNY",
    log: pino({ level: "silent" }),
  });
});
afterAll(async () => {
  await cashier.stop();
  await world.stop();
});

test("[CLU1] a show lives in one slot, and shows spread over the servers", async () => {
  for (const show of shows) {
    const slots = Object.values(showKeys(show)).map(slotOf);
    expect(new Set(slots).size).toBe(1);
    // The slot as Redis itself reckons it.
    expect(await world.redis.nodes[0]?.admin.cluster("KEYSLOT", showKeys(show).log)).toBe(slots[0]);
  }
  const places = shows.map((show) => addressFor(world.store, showKeys(show).meta));
  expect(new Set(places).size).toBe(3);
  const facts = await readShows(world.store, shows);
  expect(facts.map((show) => show?.id)).toEqual(shows);
});

test("[CLU2][I1][I2][I3] comments, holds and orders work in shows on three servers at once, over two gateways", async () => {
  await Promise.all(
    shows.map(async (show) => {
      const dropId = await world.drop(show, 3);
      const lives = await Promise.all(
        [0, 1, 2, 3, 4, 5].map((i) => world.join(i % 2 === 0 ? one : two, show, `v${i}`)),
      );
      const heard: string[] = [];
      lives[1]?.on("commented", (comments) => heard.push(...comments.map((c) => c.text)));
      expect(await lives[0]?.comment(`hello ${show}`)).toMatchObject({ result: "accepted" });
      lives[0]?.like(5);
      const answers = await Promise.all(
        lives.map((live, i) => live.hold(dropId, { key: `k${i}` })),
      );
      expect(answers.filter((a) => a.result === "held")).toHaveLength(3);
      expect(answers.filter((a) => a.result === "soldOut")).toHaveLength(3);
      const winner = answers.findIndex((a) => a.result === "held");
      const paid = await (lives[winner] as Live).pay(`k${winner}`);
      expect(paid).toMatchObject({ result: "sold" });
      await until(() => heard.includes(`hello ${show}`));
      await until(() => lives.every((live) => live.state.likes === 5));
      await until(() => lives.every((live) => live.state.drops.get(dropId)?.state === "soldOut"));
      const ledger = await readLedger(world.store, show);
      checkLedger(ledger, await liveDrops(world.store, show));
      checkHolds(ledger, false);
    }),
  );
});

test("[CLU3][F1] without replicas, a hold of class replica in a Cluster is pending", async () => {
  const show = shows[1] as string;
  const dropId = await world.drop(show, 5, { durability: "replica" });
  const live = await world.join(one, show, "ann");
  expect(await live.hold(dropId, { key: "r1" })).toEqual({ result: "pending" });
});

test("[CLU4] when a show's slot moves to another server, its viewers go on without a gap", async () => {
  const show = shows[0] as string;
  const [ann, bob] = await Promise.all([
    world.join(one, show, "ann"),
    world.join(two, show, "bob"),
  ]);
  const pins: string[] = [];
  bob.on("pinned", ({ skus }) => pins.push(skus.join() || "none"));
  await world.shows.pin(show, "tea");
  await moveSlot(slotOf(showKeys(show).meta));
  await world.shows.unpin(show, "tea");
  await world.shows.pin(show, "tea");
  await until(() => pins.length === 3, 8000);
  expect(pins).toEqual(["tea", "none", "tea"]);
  const dropId = await world.drop(show, 5);
  expect(await ann.hold(dropId, { key: "moved" })).toMatchObject({ result: "held" });
});

test("[CLU7][I1][I3] a rush of several batches finds its show's slot, also one that has just moved, and is decided once", async () => {
  const show = shows[1] as string;
  const dropId = await world.drop(show, 600);
  const rush = Array.from({ length: 700 }, (_, n) => ({
    what: "hold" as const,
    viewerId: `r${n}`,
    key: "rush",
    dropId,
    quantity: 1,
  }));
  const words = async () => (await world.inventory.decide(show, rush)).map(([word]) => word);
  await moveSlot(slotOf(showKeys(show).meta));
  const wanted = rush.map((_, n) => (n < 600 ? "held" : "soldOut"));
  expect(await words()).toEqual(wanted);
  expect(await words()).toEqual(wanted);
  const ledger = await readLedger(world.store, show);
  checkLedger(ledger, await liveDrops(world.store, show));
  checkHolds(ledger, false);
});

test("[CLU5] the check before a start looks at every server of the Cluster", async () => {
  await world.redis.nodes[2]?.admin.config("SET", "maxmemory-policy", "allkeys-lru");
  const { weaknesses } = await checkExternalRedis(world.redis.url);
  expect(weaknesses.join()).toContain("allkeys-lru");
  const client = connectRedis(world.redis.url, "command");
  await whenReady(client);
  client.disconnect();
});

/** Moves one slot with its keys to another server, as resharding does. */
async function moveSlot(slot: number): Promise<void> {
  const nodes = await Promise.all(
    world.redis.nodes.map(async (node) => ({
      node,
      id: await node.admin.cluster("MYID"),
      keys: await node.admin.cluster("GETKEYSINSLOT", slot, 1000),
    })),
  );
  const from = nodes.find(({ keys }) => keys.length > 0);
  const to = nodes.find(({ keys }) => keys.length === 0);
  if (from === undefined || to === undefined) throw new Error("nothing to move");
  await to.node.admin.cluster("SETSLOT", slot, "IMPORTING", from.id);
  await from.node.admin.cluster("SETSLOT", slot, "MIGRATING", to.id);
  await from.node.admin.migrate("127.0.0.1", to.node.port, "", 0, 5000, "KEYS", ...from.keys);
  for (const { node } of [to, from]) await node.admin.cluster("SETSLOT", slot, "NODE", to.id);
}

/**
 * The network between a primary and its replica breaks, then the one between the primary and everybody else; the replica is promoted
 * and the old primary comes back as its replica. Real processes all of them, black holes and no closed ports.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { auditFolder } from "../../server/ledger/audit.ts";
import { ledgerFolder, showFolder } from "../../server/ledger/files.ts";
import { readLedger } from "../helpers/books.ts";
import type { Buyer } from "../helpers/buyers.ts";
import { type Fleet, startFleet } from "../helpers/fleet.ts";
import { expectInvariants } from "../helpers/invariants.ts";
import { type Receiver, startReceiver } from "../helpers/receiver.ts";
import { until } from "../helpers/rooms.ts";

const SECRET = "a-secret-of-the-shop-0123456789";
let fleet: Fleet;
let back: Receiver;
beforeAll(async () => {
  fleet = await startFleet({ hasReplica: true, env: { REPLICAS: "1", REPLICA_WAIT_MS: "150" } });
  back = await startReceiver(() => SECRET);
  await fleet.shop.call("POST", "/v1/webhooks", { url: back.url, secret: SECRET });
});
afterAll(async () => {
  await fleet.stop();
  await back.stop();
});

const stateOf = (buyer: Buyer, key: string): string | undefined =>
  buyer.live.state.orders.get(key)?.state;

/** How the ledger files of a show stand, as the API says it. */
const ledgerState = async (show: string): Promise<string> =>
  (await fleet.shop.call<{ state: string }>("GET", `/v1/shows/${show}/ledger/state`)).state;

test("[FAULT13][F1][I2][I3][I6] replica cut off, then the primary too, replica promoted, old primary back: nothing told is lost or sold twice, in under 10 s, and files and shop follow the new history", async () => {
  const { replica, redis, wire, shop } = fleet;
  if (replica === undefined) throw new Error("no replica");
  const show = await shop.show(500);
  const guarded = await shop.drop(show, {
    allotment: 40,
    perBuyerLimit: 2,
    durability: "replica",
    holdMs: 300_000,
  });
  const plain = await shop.drop(show, { allotment: 300, perBuyerLimit: 2, holdMs: 300_000 });
  // A show that knows no replicas: what it sells meanwhile may be lost, and must not look otherwise.
  const simple = await shop.show(100);
  const lone = await shop.drop(simple, { allotment: 50, perBuyerLimit: 3, holdMs: 300_000 });
  const crowd = await fleet.crowd(show, 200);
  const buyers = await fleet.buyers(show, 30);
  const [early, cutOff, late] = [buyers.slice(0, 10), buyers.slice(10, 20), buyers.slice(20)];
  const dave = await fleet.buyer(simple, "dave");
  await crowd.holdAll(plain, { withinMs: 1500 });
  const told = await Promise.all(early.map((buyer) => buyer.hold(guarded, "told")));
  expect(new Set(told.map(({ result }) => result))).toEqual(new Set(["held"]));
  expect(await early[0]?.pay("told")).toMatchObject({ result: "sold" });
  expect(await early[1]?.cancel("told")).toEqual({ result: "cancelled" });
  await dave.hold(lone, "kept");
  await crowd.talk({ commentsPerSecond: 0, likesPerSecond: 0 });
  await until(async () => (await crowd.histories()).every((v) => v.likes.sent === v.likes.applied));
  await until(async () => (await readLedger(replica.redis.admin, simple)).length === 2);

  await replica.wire.blackHole();
  const pending = await Promise.all(cutOff.map((buyer) => buyer.hold(guarded, "unsure")));
  expect(new Set(pending.map(({ result }) => result))).toEqual(new Set(["pending"]));
  // Class disk sells on; and what it says is not "yours" for longer than its primary lives.
  const lost = await Promise.all(early.map((buyer) => buyer.hold(plain, "lost")));
  expect(new Set(lost.map(({ result }) => result))).toEqual(new Set(["held"]));
  for (const key of ["lost-1", "lost-2"]) await dave.hold(lone, key);
  for (const buyer of cutOff) expect(buyer.states.get("unsure")).toBeUndefined();
  // The files take nothing of the guarded show that only the primary has, and say that they wait.
  await until(async () => (await ledgerState(show)) === "waiting", 10_000);
  const filed = () =>
    auditFolder(showFolder(ledgerFolder(fleet.server.dataDir), simple), { show: simple });
  await until(async () => (await filed()).lastNo === 4, 10_000);

  await wire.blackHole();
  const lostAtMs = performance.now();
  const asking = Promise.all(late.map((buyer) => buyer.hold(guarded, "after")));
  await replica.redis.admin.replicaof("NO", "ONE");
  const first = await Promise.race(late.map((buyer) => buyer.hold(guarded, "after")));
  const pauseMs = performance.now() - lostAtMs;
  expect(first.result).toBe("pending");
  expect(pauseMs).toBeLessThan(10_000);
  console.info(`pause: ${Math.round(pauseMs)} ms`);
  await asking;
  // Nobody has a replica yet. The old primary becomes one: only then the network heals.
  await redis.admin.replicaof("127.0.0.1", replica.redis.port);
  await Promise.all([wire.heal(), replica.wire.heal()]);
  for (const buyer of late) await until(() => stateOf(buyer, "after") === "held", 20_000);
  // Those who were told "pending" hear how it ended, all by itself.
  for (const buyer of cutOff)
    await until(() => ["held", "cancelled"].includes(stateOf(buyer, "unsure") ?? ""), 20_000);

  const store = replica.redis.admin;
  const held = (await readLedger(store, show)).filter((line) => line.kind === "held");
  for (const { viewerId } of early)
    expect(held.filter(({ field }) => field === `${viewerId}|told`)).toHaveLength(1);
  await until(async () => (await ledgerState(show)) === "following", 20_000);
  await until(async () => (await ledgerState(simple)) === "following", 20_000);
  const told2 = { buyers, crowd, store, told: back.taken, lossyDrops: [plain] };
  await fleet.check(show, told2);
  const more = await dave.hold(lone, "more");
  expect(more.result).toBe("held");
  await expectInvariants({
    store,
    show: simple,
    buyers: [dave],
    lossyDrops: [lone],
    api: fleet.server,
  });
  const audit = await filed();
  expect(audit.epochs).toMatchObject([{ after: 2, annulled: 2 }]);
}, 120_000);

/**
 * Fewer REPLICAS than there are: the old primary and one replica go on telling "yours" while another replica has been promoted. What
 * does not fit any more is named, and never sold twice. Gateways on a primary with two replicas, all real, black holes between.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Live } from "#sdk";
import { showKeys } from "../../server/redis/keys.ts";
import { checkHolds, checkLedger, liveDrops, readLedger } from "../helpers/books.ts";
import { type Replicated, startReplicated, type TcpRedis } from "../helpers/redis-servers.ts";
import { type Gateway, startWorldOn, type Store, until, type World } from "../helpers/rooms.ts";
import { startWire, type Wire } from "../helpers/wire.ts";

let redis: Replicated;
let near: TcpRedis;
let far: TcpRedis;
let wires: { readonly toPrimary: Wire; readonly toFar: Wire };
/** Who will be cut off from the old primary, and who from the one to come. */
let ahead: World<Store>;
let behind: World<Store>;
let dataDir: string;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "dropcast-two-"));
  redis = await startReplicated(2);
  [near, far] = redis.replicas as [TcpRedis, TcpRedis];
  const [toPrimary, toFar] = await Promise.all([
    startWire(redis.primary.port),
    startWire(far.port),
  ]);
  wires = { toPrimary, toFar };
  [ahead, behind] = await Promise.all([
    on(toPrimary.address, far.address),
    on(redis.primary.address, toFar.address),
  ]);
});
/** The servers outlive it. */
const on = (...servers: readonly string[]): Promise<World<Store>> =>
  startWorldOn({
    url: `redis+failover://${servers.join(",")}`,
    stop: async () => undefined,
  });
const env = (replicas: number) => ({
  REPLICAS: String(replicas),
  REPLICA_WAIT_MS: "150",
  DATA_DIR: dataDir,
});
afterEach(async () => {
  await Promise.all([ahead.stop(), behind.stop()]);
  await Promise.all([redis.stop(), wires.toPrimary.stop(), wires.toFar.stop()]);
  rmSync(dataDir, { recursive: true, force: true });
});

interface Sale {
  readonly show: string;
  readonly dropId: string;
  /** At the gateway that goes to the new primary, and at the one that stays. */
  readonly early: readonly Live[];
  readonly left: readonly Live[];
}

/** Eight units, five buyers on each side. */
async function open(goes: Gateway, stays: Gateway): Promise<Sale> {
  const show = await ahead.show();
  const dropId = await ahead.drop(show, 8, { durability: "replica", holdMs: 300_000 });
  const joined = (world: World<Store>, at: Gateway, name: string): Promise<Live[]> =>
    Promise.all(Array.from({ length: 5 }, (_, i) => world.join(at, show, `${name}${i}`)));
  return {
    show,
    dropId,
    early: await joined(ahead, goes, "e"),
    left: await joined(behind, stays, "l"),
  };
}

/** What each is told, who asks until there is an answer. */
const hold = (lives: readonly Live[], dropId: string): Promise<string[]> =>
  Promise.all(
    lives.map(async (live) => {
      for (;;) {
        const answer = await live.hold(dropId, { key: "k" }).catch(() => undefined);
        if (answer !== undefined) return answer.result;
      }
    }),
  );

const four = (result: string): string[] => Array.from({ length: 4 }, () => result);

const counted = (lives: readonly Live[], state: string): number =>
  lives.filter(({ state: { orders } }) => orders.get("k")?.state === state).length;

test("[FAULT17][F1][I2][I3] two primaries tell of the same units: where REPLICAS is all there are nobody is told, else what no longer fits is named, and nothing goes twice", async () => {
  const [goes, staysWithOne, staysWithAll] = await Promise.all([
    ahead.gateway("goes", env(1)),
    behind.gateway("stays1", env(1)),
    behind.gateway("stays2", env(2)),
  ]);
  const [one, all] = [await open(goes, staysWithOne), await open(goes, staysWithAll)];
  for (const { show, dropId, early, left } of [one, all]) {
    expect(await hold([...early.slice(0, 1), ...left.slice(0, 1)], dropId)).toEqual([
      "held",
      "held",
    ]);
    await until(async () => (await liveDrops(far.admin, show))[0]?.held === 2);
  }

  await redis.partition(far);
  await Promise.all([wires.toPrimary.blackHole(), wires.toFar.blackHole()]);
  // Near still follows the old primary: one replica of two.
  expect(await hold(one.left.slice(1), one.dropId)).toEqual(four("held"));
  expect(await hold(all.left.slice(1), all.dropId)).toEqual(four("pending"));
  await far.admin.replicaof("NO", "ONE");
  for (const { early, dropId } of [one, all])
    expect(await hold(early.slice(1), dropId)).toEqual(four("pending"));

  await Promise.all(
    [redis.primary, near].map((server) => server.admin.replicaof("127.0.0.1", far.port)),
  );
  await Promise.all([wires.toPrimary.heal(), wires.toFar.heal()]);
  for (const { show, early, left } of [one, all]) {
    // Six units were left: four went on the new primary, and two of what the old one decided still fitted.
    await until(() => counted(early, "held") === 5 && counted(left, "held") === 3, 20_000);
    await until(() => counted(left, "cancelled") === 2);
    const [ledger, drops] = [await readLedger(far.admin, show), await liveDrops(far.admin, show)];
    checkLedger(ledger, drops);
    checkHolds(ledger, false);
    expect(drops[0]).toMatchObject({ allotment: 8, held: 8, available: 0 });
  }
  const named = ({ show }: Sale) => far.admin.hget(showKeys(show).meta, "overcommitted");
  expect([await named(one), await named(all)]).toEqual(["2", null]);
}, 90_000);

/** What buyers see of holds that a failover has lost, and of those that it has not. Gateways on a primary with two replicas, all real. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Live } from "#sdk";
import { liveDrops } from "../helpers/books.ts";
import { type Replicated, startReplicated, type TcpRedis } from "../helpers/redis-servers.ts";
import { startWorldOn, until, type World } from "../helpers/rooms.ts";

let redis: Replicated;
let world: World<Replicated>;
let dataDir: string;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "dropcast-lost-"));
  redis = await startReplicated(2);
  world = await startWorldOn(redis);
});
afterEach(async () => {
  await world.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Everything a viewer's screen said, in order: `key state`. */
function screenOf(live: Live): string[] {
  const seen: string[] = [];
  live.on("orderChanged", ({ holdId, state }) => seen.push(`${holdId} ${state}`));
  return seen;
}

test("[DUR13][F1] a hold that was lost with its primary leaves the screen at once; one that comes back never does", async () => {
  const [near, far] = redis.replicas as [TcpRedis, TcpRedis];
  const env = { REPLICAS: "1", REPLICA_WAIT_MS: "150", DATA_DIR: dataDir };
  const [one, two] = await Promise.all([world.gateway("one", env), world.gateway("two", env)]);
  const show = await world.show();
  const terms = { perBuyerLimit: 3, holdMs: 300_000 };
  const guarded = await world.drop(show, 10, { ...terms, durability: "replica" });
  const plain = await world.drop(show, 3, terms);
  const ann = await world.join(one, show, "ann");
  // On another node, which has not decided the hold and must know of it all the same.
  const tab = await world.join(two, show, "ann");
  const screens = [screenOf(ann), screenOf(tab)];
  await ann.hold(plain, { key: "kept" });
  await until(async () => (await liveDrops(far.admin, show)).some(({ held }) => held === 1));

  await redis.partition(far);
  // Near has it, and so it is told; far does not. No replica has the others.
  expect(await ann.hold(guarded, { key: "back" })).toMatchObject({ result: "held" });
  await redis.partition(near);
  expect(await ann.hold(plain, { key: "lost", quantity: 2 })).toMatchObject({ result: "held" });
  const eve = await world.join(two, show, "eve");
  expect(await eve.wait(plain, { key: "line" })).toMatchObject({ result: "waiting" });
  await until(() => eve.state.orders.get("line")?.state === "waiting");
  for (const seen of screens) await until(() => seen.includes("lost held"));
  await redis.primary.kill("SIGKILL");
  await redis.promote(far);
  const promotedMs = performance.now();

  const mine = [ann, tab].map((live) => live.state.orders);
  await until(() => mine.every((orders) => orders.get("lost")?.state === "cancelled"), 10_000);
  await until(() => eve.state.orders.get("line")?.state === "cancelled");
  console.info(`off the screen in ${Math.round(performance.now() - promotedMs)} ms`);
  // Who opens the page only now sees none of it.
  const late = await world.join(two, show, "ann");
  expect(late.state.orders.get("lost")?.state).not.toBe("held");
  await until(() => late.state.orders.get("back")?.state === "held", 10_000);
  for (const seen of screens) {
    const ends = seen.filter((line) => line.endsWith("cancelled") || line.endsWith("expired"));
    expect(ends).toEqual(["lost cancelled"]);
  }
  // The units are there again, and the limit does not count what is lost.
  expect(await ann.hold(plain, { key: "again", quantity: 2 })).toMatchObject({ result: "held" });
  for (const orders of mine) {
    await until(() => orders.get("again")?.state === "held");
    expect(["kept", "back", "again"].map((key) => orders.get(key)?.state)).toEqual([
      "held",
      "held",
      "held",
    ]);
  }
}, 60_000);

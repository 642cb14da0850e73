/**
 * A million likes per second into one show, and not one lost: every viewer gathers its taps for half a second, as the SDK does, a gateway
 * adds up what came within a tick, Redis adds each sequence number once, and one total goes out to all. Gateway and Redis share one
 * core; its CPU time per like, against the same likes in one frame per half dozen taps, and against a plain pipelined HINCRBY each.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Swarm } from "../../load/swarm/swarm.ts";
import { showKeys } from "../../server/redis/keys.ts";
import type { Bench } from "./bench.ts";
import { cpuSecondsOf, pin, SERVER_CORES } from "./machine.ts";
import type { Row } from "./rows.ts";
import type { ServerProcess } from "./server-process.ts";
import { type Store, watched } from "./world.ts";

const SHOW = "likes";
const UNIT = "likes/cpu-s";
/** Half a second of 500 likes per second and viewer: what 2,000 viewers need for a million. */
const LIKES_PER_FRAME = 250;
const UNGATHERED_PER_FRAME = 6;
const CONFIRMED_WITHIN_MS = 20_000;

interface Rate {
  readonly perCpuSecond: number;
  readonly perSecond: number;
}

interface World {
  readonly store: Store;
  readonly server: ServerProcess;
  readonly swarm: Swarm;
}

export const likes: Bench = {
  name: "likes",
  says: "likes applied per CPU-second of gateway and Redis, none lost, at a million per second",
  async run(run) {
    const viewers = 2000;
    run.say(`likes: ${viewers} viewers`);
    const world = await watched(run, { show: SHOW, viewers, countsOnly: false });
    pin(world.store.process.pid, SERVER_CORES);
    const forMs = run.quick ? 1500 : 8000;
    await liking(world, { likesPerSecond: 1e5, likesPerFrame: LIKES_PER_FRAME }, 1000);
    const gathered = await liking(
      world,
      { likesPerSecond: 1.1e6, likesPerFrame: LIKES_PER_FRAME },
      forMs,
    );
    const singly = await liking(
      world,
      { likesPerSecond: 24_000, likesPerFrame: UNGATHERED_PER_FRAME },
      forMs,
    );
    const plain = await plainIncrements(world.store, run.quick ? 100_000 : 400_000);
    const rows: readonly Row[] = [
      {
        row: "likes-per-second",
        value: gathered.perSecond,
        unit: "likes/s",
        controls: ["likes-ungathered-per-second"],
      },
      {
        row: "likes",
        value: gathered.perCpuSecond,
        unit: UNIT,
        controls: ["likes-ungathered", "hincrby-each"],
      },
      {
        row: "likes-ungathered-per-second",
        value: singly.perSecond,
        unit: "likes/s",
        controls: [],
      },
      { row: "likes-ungathered", value: singly.perCpuSecond, unit: UNIT, controls: [] },
      { row: "hincrby-each", value: plain, unit: UNIT, controls: [] },
    ];
    return rows;
  },
};

/** @throws when the show's total, what viewers were told was applied, and what they sent differ in the end */
async function liking(
  { store, server, swarm }: World,
  rates: { readonly likesPerSecond: number; readonly likesPerFrame: number },
  forMs: number,
): Promise<Rate> {
  const cpu = (): number => cpuSecondsOf(server.pid) + cpuSecondsOf(store.process.pid);
  const before = { cpu: cpu(), sent: (await own(swarm)).sent, atMs: performance.now() };
  await swarm.talk({ commentsPerSecond: 0, ...rates });
  await sleep(forMs);
  await swarm.talk({ commentsPerSecond: 0, likesPerSecond: 0 });
  const giveUpMs = performance.now() + CONFIRMED_WITHIN_MS;
  const { sent } = await own(swarm);
  for (let applied = 0; applied !== sent; { applied } = await own(swarm)) {
    if (performance.now() > giveUpMs) throw new Error(`${sent - applied} likes unconfirmed`);
    await sleep(20);
  }
  const took = { cpu: cpu() - before.cpu, ms: performance.now() - before.atMs };
  const total = Number(await store.redis.hget(showKeys(SHOW).meta, "likes"));
  if (total !== sent) throw new Error(`the show has ${total} likes of ${sent}`);
  const count = sent - before.sent;
  return { perCpuSecond: count / took.cpu, perSecond: count / (took.ms / 1000) };
}

async function own(swarm: Swarm): Promise<{ readonly sent: number; readonly applied: number }> {
  const histories = await swarm.histories();
  return {
    sent: histories.reduce((sum, history) => sum + history.likes.sent, 0),
    applied: histories.reduce((sum, history) => sum + history.likes.applied, 0),
  };
}

/** One command per like, on the same Redis. Its CPU alone: what asks is not counted. */
async function plainIncrements({ redis, process }: Store, count: number): Promise<number> {
  const cpuBefore = cpuSecondsOf(process.pid);
  for (let done = 0; done < count; done += 1000) {
    const pipeline = redis.pipeline();
    for (let i = 0; i < 1000; i++) pipeline.hincrby("dropcast:bench:likes", "n", 1);
    await pipeline.exec();
  }
  return count / (cpuSecondsOf(process.pid) - cpuBefore);
}

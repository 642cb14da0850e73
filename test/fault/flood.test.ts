/**
 * A flood of refused buyers, a storm of comments and viewers who do not read: what that does to those who win, and to the events that
 * everybody must have. Rounds of quiet and of storm take turns on one gateway, so that both have the same machine.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type HoldTally, startSwarm, type Swarm } from "../../load/swarm/swarm.ts";
import { median } from "../bench/rows.ts";
import { quantileOf } from "../bench/stock-events.ts";
import { ADMIN_KEY, freePort, startWorld, until, type World } from "../helpers/rooms.ts";
import { spawnServer, type StartedProcess } from "../helpers/server.ts";
import { eventsOf } from "../scenario/checks.ts";

const ROUNDS = 5;
const CROWD = { winners: 30, watchers: 120, refused: 200, sleepers: 19 } as const;
const EVENTS_PER_ROUND = 6;
const COMMENTS_PER_SECOND = 300;
const LIKES_PER_SECOND = 600;
/** What a storm may cost: this many times the quiet latency of the same machine, and some turns of its scheduler, since the flood itself runs on it. */
const mayTakeMs = (quietMs: number): number => 4 * quietMs + 200;

let world: World;
let gateway: StartedProcess;
let show: string;
let swarms: Record<keyof typeof CROWD, Swarm>;
beforeAll(async () => {
  world = await startWorld();
  show = await world.show();
  const port = await freePort();
  const env = { REDIS_URL: world.redis.url, ADMIN_KEY, NODE_ID: "one", RT_PORT: String(port) };
  gateway = spawnServer({ command: "gateway", env });
  await gateway.printed(/ready/, 30_000);
  const enter = async ([name, viewers]: [string, number]): Promise<[string, Swarm]> => {
    const swarm = await startSwarm({
      url: `ws://127.0.0.1:${port}`,
      show,
      viewers,
      joinsPerSecond: 150,
      processes: 1,
      token: (i) => world.tokens.sign({ show, viewerId: `${name}${i}`, role: "viewer", name }),
    });
    expect(await swarm.joined).toBe(viewers);
    return [name, swarm];
  };
  swarms = Object.fromEntries(await Promise.all(Object.entries(CROWD).map(enter))) as typeof swarms;
});
afterAll(async () => {
  await Promise.all(Object.values(swarms).map((swarm) => swarm.close()));
  await gateway.stop();
  await world.stop();
});

/** ms since 1970, as the swarm's processes have it. */
const nowMs = (): number => performance.timeOrigin + performance.now();

/** Pins and unpins by turns. @returns for each pin, and each watcher, the time from before Redis was asked until it was there */
async function eventTimes(): Promise<number[]> {
  const { watchers } = swarms;
  await watchers.watch("pinned");
  const tookMs: number[] = [];
  for (let i = 0; i < EVENTS_PER_ROUND; i++) {
    await sleep(60 + Math.random() * 60);
    await watchers.arrivals();
    const askedAtMs = nowMs();
    await world.shows.pin(show, "tea");
    const arrived: number[] = [];
    await until(async () => {
      arrived.push(...(await watchers.arrivals()));
      return arrived.length >= CROWD.watchers;
    }, 20_000);
    expect(arrived, "nobody is told twice").toHaveLength(CROWD.watchers);
    tookMs.push(...arrived.map((ms) => ms - askedAtMs));
    await world.shows.unpin(show, "tea");
  }
  return tookMs;
}

/** Times of every hold, and of every event at every watcher. */
interface Round {
  readonly holdMs: readonly number[];
  readonly eventMs: readonly number[];
}

interface Stormy extends Round {
  readonly refused: readonly HoldTally[];
}

/** As many units as there are winners: each must get one. */
async function round(dropId: string): Promise<Round> {
  const [holds, eventMs] = await Promise.all([
    swarms.winners.holdAll(dropId, { withinMs: 1000 }),
    eventTimes(),
  ]);
  expect(holds.byResult).toEqual({ held: CROWD.winners });
  return { holdMs: holds.tookMs, eventMs };
}

/** By turns more of the winners' drop than anybody may have, and what is sold out: decided by Redis, and here. */
async function flood(drops: readonly string[], signal: AbortSignal): Promise<HoldTally[]> {
  const tallies: HoldTally[] = [];
  while (!signal.aborted)
    for (const dropId of drops)
      tallies.push(await swarms.refused.holdAll(dropId, { withinMs: 400, quantity: 2 }));
  return tallies;
}

const commentsTaken = async (): Promise<number> =>
  (await swarms.refused.histories()).reduce((sum, { comments }) => sum + comments.accepted, 0);

async function storm(soldOut: string): Promise<Stormy> {
  const { refused, sleepers } = swarms;
  const dropId = await world.drop(show, CROWD.winners);
  const over = new AbortController();
  const before = await commentsTaken();
  await sleepers.stall(1);
  await refused.talk({
    commentsPerSecond: COMMENTS_PER_SECOND,
    likesPerSecond: LIKES_PER_SECOND,
  });
  const flooding = flood([dropId, soldOut], over.signal);
  await until(async () => (await commentsTaken()) > before + 50, 20_000);
  const frozen = (await sleepers.counts()).frames;
  const measured = await round(dropId);
  expect((await sleepers.counts()).frames, "sleepers do not read").toBe(frozen);
  over.abort();
  const tallies = await flooding;
  await refused.talk({ commentsPerSecond: 0, likesPerSecond: 0 });
  await until(
    async () => (await refused.histories()).every(({ likes }) => likes.sent === likes.applied),
    20_000,
  );
  await sleepers.stall(0);
  return { ...measured, refused: tallies };
}

test("[F12] thousands of refused tries, a storm of comments and 5 % sleeping sockets: winners are answered and events arrive about as fast as in a quiet room, and nobody misses anything", async () => {
  const soldOut = await world.drop(show, 1);
  const request = {
    what: "hold",
    viewerId: "first",
    key: "k",
    dropId: soldOut,
    quantity: 1,
  } as const;
  expect((await world.inventory.decide(show, [request]))[0]?.[0]).toBe("held");
  const quiet: Round[] = [];
  const stormy: Stormy[] = [];
  // To warm up.
  await round(await world.drop(show, CROWD.winners));
  for (let i = 0; i < ROUNDS; i++) {
    quiet.push(await round(await world.drop(show, CROWD.winners)));
    stormy.push(await storm(soldOut));
  }

  const refusals = stormy.flatMap(({ refused }) => refused);
  expect(refusals.filter(({ asked, answered }) => answered !== asked)).toEqual([]);
  const words = new Set(refusals.flatMap(({ byResult }) => Object.keys(byResult)));
  expect([...words].filter((word) => word !== "tooFast").toSorted()).toEqual(["limit", "soldOut"]);
  expect(refusals.reduce((sum, { asked }) => sum + asked, 0)).toBeGreaterThan(2000);

  // Lane R of everybody, the sleepers included, against the log.
  const events = await eventsOf(world.store, show);
  for (const [name, swarm] of Object.entries(swarms)) {
    const isThere = async (): Promise<boolean> =>
      (await swarm.histories()).every(({ offset }) => offset >= events.length);
    await until(isThere, 20_000);
    for (const { snapshots, lost, repeats, backwards, gaps } of await swarm.histories())
      expect({ snapshots, lost, repeats, backwards, gaps }, name).toEqual({
        snapshots: 1,
        lost: 0,
        repeats: 0,
        backwards: 0,
        gaps: 0,
      });
  }

  for (const what of ["holdMs", "eventMs"] as const)
    for (const share of [0.5, 0.9]) {
      const typical = (rounds: readonly Round[]): number =>
        median(rounds.map((one) => quantileOf(one[what], share)));
      const [inQuiet, inStorm] = [typical(quiet), typical(stormy)];
      expect(inStorm, `${what}, of ${share}, quiet ${inQuiet} ms`).toBeLessThan(mayTakeMs(inQuiet));
    }
}, 120_000);

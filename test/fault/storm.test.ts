/** A gateway is killed under its viewers: what the storm of resumes costs Redis, and what it loses (nothing). */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startSwarm, type Swarm } from "../../load/swarm/swarm.ts";
import { connectRedis } from "../../server/redis/connect.ts";
import { ADMIN_KEY, freePort, startWorld, until, type World } from "../helpers/rooms.ts";
import { spawnServer, type StartedProcess } from "../helpers/server.ts";

const VIEWERS = 600;
const WINDOW_MS = 6000;
/** What the issue allows for one room. */
const MOST_COMMANDS = 10 + 2;

let world: World;
let nodes: readonly { readonly url: string; readonly process: StartedProcess }[];
let swarm: Swarm | undefined;
beforeAll(async () => {
  world = await startWorld();
  nodes = await Promise.all(["one", "two"].map(startNode));
}, 60_000);
afterAll(async () => {
  await swarm?.close();
  await Promise.all(nodes.map(({ process }) => process.stop()));
  await world.stop();
});

async function startNode(
  name: string,
): Promise<{ readonly url: string; readonly process: StartedProcess }> {
  const port = await freePort();
  const env = { REDIS_URL: world.redis.url, ADMIN_KEY, NODE_ID: name, RT_PORT: String(port) };
  const process = spawnServer({ command: "gateway", env });
  await process.printed(/ready/, 30_000);
  return { url: `ws://127.0.0.1:${port}`, process };
}

/** Commands that Redis is sent meanwhile, not those inside of scripts. */
async function commandsDuring(work: () => Promise<void>): Promise<number> {
  const observer = connectRedis(world.redis.url, "command");
  const monitor = await observer.monitor();
  let count = 0;
  monitor.on("monitor", (_time: string, _command: string[], source: string) => {
    if (source !== "lua") count++;
  });
  await work();
  monitor.disconnect();
  observer.disconnect();
  return count;
}

test("[STORM1][I7][F11] a killed gateway's viewers all come back without a gap, and it costs Redis a dozen commands for the room, not for each", async () => {
  const show = await world.show();
  const said = { pins: 0 };
  const talk = async (): Promise<void> => {
    for (let spentMs = 0; spentMs < WINDOW_MS; spentMs += 500) {
      await (said.pins++ % 2 === 0 ? world.shows.pin(show, "tea") : world.shows.unpin(show, "tea"));
      await sleep(500);
    }
  };
  swarm = await startSwarm({
    url: nodes.map(({ url }) => url),
    show,
    viewers: VIEWERS,
    joinsPerSecond: 600,
    processes: 1,
    token: (i) => world.tokens.sign({ show, viewerId: `v${i}`, role: "viewer", name: "" }),
  });
  expect(await swarm.joined).toBe(VIEWERS);
  const [killed, survivor] = nodes as [(typeof nodes)[0], (typeof nodes)[0]];
  process.kill(killed.process.pid, "SIGKILL");
  const inStorm = await commandsDuring(talk);
  const crowd = swarm;
  const cameBack = async (): Promise<number> =>
    (await crowd.histories()).filter(({ joins }) => joins > 1).length;
  await until(async () => (await cameBack()) === VIEWERS / 2, 30_000);
  const inQuiet = await commandsDuring(talk);
  expect(inStorm - inQuiet).toBeLessThanOrEqual(MOST_COMMANDS);
  await until(
    async () => (await crowd.histories()).every(({ events }) => events >= said.pins),
    15_000,
  );
  const histories = await crowd.histories();
  expect(histories.filter(({ snapshots }) => snapshots > 1)).toEqual([]);
  for (const { events, gaps, lost } of histories)
    expect({ events, gaps, lost }).toEqual({ events: said.pins, gaps: 0, lost: 0 });
  expect(survivor.process.output()).not.toContain("error");
}, 120_000);

/**
 * SIGKILL of one of two gateways with everybody in the room: how many are back within 5 s, how long it takes all of them, what they
 * missed or got twice (from their own histories), and what their coming back costs Redis beyond its ordinary work. The control: as many
 * bare sockets that lose one of two plain uWebSockets.js servers, with the same back-off.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { startSwarm, type Swarm } from "../../load/swarm/swarm.ts";
import type { Bench, BenchRun } from "./bench.ts";
import { UWS } from "./rivals.ts";
import { median, type Row } from "./rows.ts";
import type { ServerProcess } from "./server-process.ts";
import { allIn, openShow, startGatewayOn, startStore, type Store, viewerToken } from "./world.ts";

const SHOW = "resume";
const WITHIN_MS = 5000;
const ALL_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 50;
const EVENT_EVERY_MS = 250;

interface Comeback {
  readonly share: number;
  readonly allBackMs: number;
}

export const resume: Bench = {
  name: "resume",
  says: "one of two nodes is killed: who is back, how soon, what was missed, what it costs Redis",
  async run(run) {
    const viewers = run.quick ? 2000 : 8000;
    const ours: (Comeback & { readonly commands: number })[] = [];
    const bare: Comeback[] = [];
    for (let round = 0; round < (run.quick ? 1 : 2); round++) {
      run.say(`resume: ${viewers} viewers on two gateways, round ${round + 1}`);
      ours.push(await dropcast(run, viewers));
      bare.push(await plain(run, viewers));
    }
    const rows: readonly Row[] = [
      {
        row: `back-within-5s-${viewers}`,
        value: Math.min(...ours.map(({ share }) => share)),
        unit: "of all",
        controls: [`uws-back-within-5s-${viewers}`],
      },
      {
        row: `all-back-${viewers}`,
        value: median(ours.map(({ allBackMs }) => allBackMs)),
        unit: "ms",
        controls: [`uws-all-back-${viewers}`],
      },
      {
        row: "redis-commands",
        value: median(ours.map(({ commands }) => commands)),
        unit: "beyond ordinary work",
        controls: [],
      },
      {
        row: `uws-back-within-5s-${viewers}`,
        value: Math.min(...bare.map(({ share }) => share)),
        unit: "of all",
        controls: [],
      },
      {
        row: `uws-all-back-${viewers}`,
        value: median(bare.map(({ allBackMs }) => allBackMs)),
        unit: "ms",
        controls: [],
      },
    ];
    return rows;
  },
};

/** @throws when anybody missed an event of lane R, got one twice, or never came back */
async function dropcast(
  run: BenchRun,
  viewers: number,
): Promise<Comeback & { readonly commands: number }> {
  const store = await startStore();
  run.owns(store.stop);
  await openShow(store, SHOW);
  const servers = [await startGatewayOn(store), await startGatewayOn(store)] as const;
  for (const server of servers) run.owns(server.stop);
  const swarm = await startSwarm({
    url: servers.map(({ port }) => `ws://127.0.0.1:${port}`),
    show: SHOW,
    viewers,
    token: viewerToken(SHOW),
    joinsPerSecond: 2500,
  });
  run.owns(swarm.close);
  await allIn(swarm, viewers);
  const before = await swarm.histories();
  const events = eventsOf(store);
  const commands = await countCommands(store);
  const { killedAtMs, ...comeback } = await kill(servers[0], swarm, viewers);
  // As long again, with nobody on the move: what the room takes by itself.
  await sleep(Math.max(0, WITHIN_MS - (performance.now() - killedAtMs)));
  const stormMs = performance.now() - killedAtMs;
  const inStorm = commands.sent();
  await sleep(stormMs);
  const ordinary = commands.sent() - inStorm;
  commands.stop();
  const published = await events.stop();
  await sleep(1000);
  const histories = await swarm.histories();
  const sum = (of: "gaps" | "lost" | "backwards" | "repeats"): number =>
    histories.reduce((n, history) => n + history[of], 0);
  const missed = histories.filter((history, i) => {
    const { offset = 0, events: seenBefore = 0 } = before[i] ?? {};
    const seen = history.events - seenBefore;
    return seen !== history.offset - offset || seen < published;
  });
  if (missed.length > 0 || sum("gaps") + sum("lost") + sum("backwards") + sum("repeats") > 0)
    throw new Error(
      `${missed.length} viewers missed events; ${sum("gaps")} gaps, ${sum("lost")} lost, ${sum("repeats")} twice`,
    );
  await swarm.close();
  await servers[1].stop();
  await store.stop();
  run.say(`  Redis got ${inStorm} commands in the storm, ${ordinary} in as much time after it`);
  return { ...comeback, commands: Math.max(0, inStorm - ordinary) };
}

async function plain(run: BenchRun, viewers: number): Promise<Comeback> {
  const servers = [await UWS.start(run.say), await UWS.start(run.say)] as const;
  for (const server of servers) run.owns(server.stop);
  const swarm = await startSwarm({
    url: servers.map(({ port }) => `ws://127.0.0.1:${port}${UWS.path}`),
    show: "",
    viewers,
    token: async () => "",
    bare: UWS.dialect,
    comesBack: true,
    joinsPerSecond: 2500,
  });
  run.owns(swarm.close);
  await allIn(swarm, viewers);
  const { share, allBackMs } = await kill(servers[0], swarm, viewers);
  await swarm.close();
  await servers[1].stop();
  return { share, allBackMs };
}

async function kill(
  server: ServerProcess,
  swarm: Swarm,
  viewers: number,
): Promise<Comeback & { readonly killedAtMs: number }> {
  const killedAtMs = performance.now();
  process.kill(server.pid, "SIGKILL");
  let share = 0;
  for (;;) {
    await sleep(LOOK_EVERY_MS);
    const { joined, closes } = await swarm.figures();
    const tookMs = performance.now() - killedAtMs;
    const lost = Object.values(closes).reduce((n, count) => n + count, 0);
    // Until its connections are seen to have ended, everybody seems to be in.
    const back = lost < viewers / 2 ? 0 : joined / viewers;
    if (tookMs <= WITHIN_MS) share = back;
    if (back === 1) return { share, allBackMs: tookMs, killedAtMs };
    if (tookMs > ALL_WITHIN_MS)
      throw new Error(`only ${joined} of ${viewers} were back after ${ALL_WITHIN_MS / 1000} s`);
  }
}

/** Events of lane R, all the time. */
function eventsOf({ shows }: Store): { stop(): Promise<number> } {
  let published = 0;
  const over = new AbortController();
  const publish = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await shows.putProduct(SHOW, {
        sku: "cup",
        title: `cup ${++published}`,
        priceCents: 9900,
        stock: 1,
        imageUrl: "",
        category: "cups",
      });
      await sleep(EVENT_EVERY_MS);
    }
  };
  const publishing = publish();
  publishing.catch(() => undefined);
  return {
    async stop() {
      over.abort();
      await publishing;
      return published;
    },
  };
}

/** Counts the commands that Redis is sent from now on; what scripts call in turn is theirs. */
async function countCommands({ redis }: Store): Promise<{
  readonly sent: () => number;
  readonly stop: () => void;
}> {
  let sent = 0;
  const monitor = await redis.monitor();
  monitor.on("monitor", (_atSeconds: string, _command: readonly string[], source: string) => {
    if (source !== "lua") sent++;
  });
  return { sent: () => sent, stop: () => monitor.disconnect() };
}

/**
 * Resident bytes of a server per joined viewer above the same server empty: a real gateway, against raw sockets of
 * uWebSockets.js and of `ws`. Two readings of each: `settled`, after a garbage collection, and `grown`, as the system
 * sees it without one; both above the tidied empty server. Memory of the kernel (about 4 kB per socket end) is in neither.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { startSwarm, type SwarmOptions } from "../../load/swarm/swarm.ts";
import type { Bench, BenchRun } from "./bench.ts";
import { residentBytesOf } from "./machine.ts";
import { median, type Row } from "./rows.ts";
import { UWS, WS } from "./rivals.ts";
import type { ServerProcess } from "./server-process.ts";
import { allIn, openShow, startGatewayOn, startStore, viewerToken } from "./world.ts";

const SHOW = "memory";
const UNIT = "bytes";
/** Let in and out again before the first reading: code compiled, pools and rooms made. */
const WARM_VIEWERS = 20;
/** For figures, presence and timers to have run. */
const SETTLE_MS = 1200;

interface Reading {
  readonly grown: number;
  readonly settled: number;
}

export const memory: Bench = {
  name: "memory",
  says: "resident bytes per viewer above the empty server",
  async run(run) {
    const viewers = run.quick ? 5000 : 15_000;
    const store = await startStore();
    run.owns(store.stop);
    await openShow(store, SHOW);
    const readings: Record<string, Reading[]> = { joined: [], "uws-socket": [], "ws-socket": [] };
    for (let round = 0; round < (run.quick ? 1 : 2); round++) {
      run.say(`memory: ${viewers} viewers, round ${round + 1}`);
      const gateway = await startGatewayOn(store);
      const url = `ws://127.0.0.1:${gateway.port}`;
      const ours = { url, show: SHOW, token: viewerToken(SHOW), viewers };
      readings["joined"]?.push(await perViewer(run, gateway, ours));
      for (const [row, rival] of [
        ["uws-socket", UWS],
        ["ws-socket", WS],
      ] as const) {
        const server = await rival.start(run.say);
        const bare = {
          url: `ws://127.0.0.1:${server.port}${rival.path}`,
          show: "",
          token: async () => "",
          bare: rival.dialect,
          viewers,
        };
        readings[row]?.push(await perViewer(run, server, bare));
      }
    }
    return (["settled", "grown"] as const).flatMap((of) =>
      Object.entries(readings).map(([row, values]): Row => ({
        row: `${row}-${of}-${viewers}`,
        value: median(values.map((reading) => reading[of])),
        unit: UNIT,
        controls:
          row === "joined" ? [`uws-socket-${of}-${viewers}`, `ws-socket-${of}-${viewers}`] : [],
      })),
    );
  },
};

/** Ends the server when done. */
async function perViewer(
  run: BenchRun,
  server: ServerProcess,
  options: SwarmOptions,
): Promise<Reading> {
  run.owns(server.stop);
  const { viewers } = options;
  const warm = await startSwarm({ ...options, viewers: WARM_VIEWERS });
  await warm.joined;
  await warm.close();
  await sleep(SETTLE_MS);
  await tidied(server);
  const empty = residentBytesOf(server.pid);
  const swarm = await startSwarm({ ...options, countsOnly: true, joinsPerSecond: 2500 });
  run.owns(swarm.close);
  await allIn(swarm, viewers);
  await sleep(SETTLE_MS);
  const grown = residentBytesOf(server.pid) - empty;
  await tidied(server);
  const settled = residentBytesOf(server.pid) - empty;
  await swarm.close();
  await server.stop();
  return { grown: grown / viewers, settled: settled / viewers };
}

/** One collection frees objects, the next ones the pages they were on. */
async function tidied(server: ServerProcess): Promise<void> {
  for (let times = 0; times < 3; times++) {
    await server.tell("tidy");
    await sleep(200);
  }
}

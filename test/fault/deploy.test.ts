/** New processes in the middle of a sale, judged from what the viewers themselves have seen. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Live, PayAnswer } from "#sdk";
import { startSwarm } from "../../load/swarm/swarm.ts";
import { type BackEnd, backEndOf } from "../helpers/back-end.ts";
import { until } from "../helpers/rooms.ts";
import { startServer, type WholeServer } from "../helpers/server.ts";

let server: WholeServer;
let shop: BackEnd;
beforeAll(async () => {
  server = await startServer({
    env: { GATEWAYS: "2", MEDIA_WORKERS: "1", DRAIN_MS: "1000", PAY_SANDBOX_DELAY_MS: "100" },
  });
  shop = backEndOf(server);
});
afterAll(async () => {
  shop.close();
  await server.stop();
});

const BUYERS = 40;
const UNITS = 25;
const WATCHERS = 200;

interface Seen {
  readonly pins: string[];
  readonly drops: string[];
  /** Longest time without the room. */
  awayMs: number;
}

function watch(live: Live): Seen {
  const seen: Seen = { pins: [], drops: [], awayMs: 0 };
  let leftMs = 0;
  live.on("pinned", ({ skus }) => seen.pins.push(skus.join() || "none"));
  live.on("dropOpened", ({ dropId }) => seen.drops.push(`opened ${dropId}`));
  live.on("dropSoldOut", ({ dropId }) => seen.drops.push(`soldOut ${dropId}`));
  live.on("connectionChanged", ({ connection }) => {
    if (connection === "live" && leftMs > 0)
      seen.awayMs = Math.max(seen.awayMs, performance.now() - leftMs);
    leftMs = connection === "live" ? 0 : performance.now();
  });
  return seen;
}

/** As a person would: again with the same key until there is an answer; what is held is paid. */
async function buy(live: Live, dropId: string, key: string): Promise<string> {
  for (;;) {
    try {
      const hold = await live.hold(dropId, { key });
      if (hold.result === "notOpen" || hold.result === "tooFast") {
        await sleep(50);
        continue;
      }
      if (hold.result !== "held") return hold.result;
      const paid: PayAnswer = await live.pay(hold.holdId);
      return paid.result;
    } catch (fault) {
      expect(fault).toMatchObject({ name: "SdkFault", retryable: true });
    }
  }
}

const again = async <T>(ask: () => Promise<T>): Promise<T> =>
  until(() => ask().catch(() => undefined), 15_000) as Promise<T>;

test("[DEPLOY1][I2][I7][F11] every gateway and control replaced in the middle of a drop: nobody misses an event, nothing is oversold, every buyer is answered", async () => {
  const show = await shop.show(1000);
  const pids = ["control-0", "gateway-0", "gateway-1", "media-0"].map((name) => server.pidOf(name));
  const lives = await Promise.all(
    Array.from({ length: BUYERS }, (_, i) => shop.join(show, `b${i}`)),
  );
  const seen = lives.map(watch);
  const swarm = await startSwarm({
    url: server.wsUrl,
    show,
    viewers: WATCHERS,
    token: (index) => shop.token(show, `w${index}`),
    processes: 0,
  });
  expect(await swarm.joined).toBe(WATCHERS);

  const said: string[] = [];
  const stop = new AbortController();
  const pinning = (async () => {
    while (!stop.signal.aborted) {
      const isPinned = said.at(-1) === "none";
      const path = `/v1/shows/${show}/pins`;
      await again(async () =>
        isPinned
          ? (await shop.call("POST", path, { sku: "tea" }), true)
          : (await shop.call("DELETE", `${path}/tea`), true),
      );
      said.push(isPinned ? "tea" : "none");
      await sleep(40);
    }
  })();
  process.kill(server.pid, "SIGUSR2");
  await server.printed(/deploy: every gateway/);
  const dropId = await again(() =>
    shop.drop(show, { allotment: UNITS, startsAtMs: Date.now() + 1500, perBuyerLimit: 1 }),
  );
  const bought = Promise.all(lives.map((live, i) => buy(live, dropId, `k${i}`)));
  await server.printed(/deploy: over/, 60_000);
  const answers = await bought;
  stop.abort();
  await pinning;

  for (const name of ["control-0", "gateway-0", "gateway-1"])
    expect(server.output()).toContain(`${name} is replaced`);
  const pidsNow = ["control-0", "gateway-0", "gateway-1", "media-0"].map((name) =>
    server.pidOf(name),
  );
  expect(pidsNow.map((pid, i) => pid === pids[i])).toEqual([false, false, false, true]);
  expect(answers.filter((answer) => answer === "sold")).toHaveLength(UNITS);
  expect(answers.filter((answer) => answer === "soldOut")).toHaveLength(BUYERS - UNITS);
  await until(() => seen.every(({ pins }) => pins.length >= said.length), 15_000);
  for (const { pins, drops, awayMs } of seen) {
    expect(pins).toEqual(said);
    expect(drops).toEqual([`opened ${dropId}`, `soldOut ${dropId}`]);
    expect(awayMs).toBeLessThan(2000);
  }
  expect(await shop.call("GET", `/v1/shows/${show}/drops/${dropId}`)).toMatchObject({
    available: 0,
    held: 0,
    sold: UNITS,
  });
  const histories = await swarm.histories();
  await swarm.close();
  expect(histories.filter(({ lost, gaps }) => lost > 0 || gaps > 0)).toEqual([]);
  expect(new Set(histories.map(({ joins }) => joins > 1))).toContain(true);
}, 120_000);

test("[DEPLOY2] without a server there is nothing to deploy, and it says so", () => {
  const folder = mkdtempSync(join(tmpdir(), "dropcast-none-"));
  const { status, stdout } = spawnSync(process.execPath, ["server/main.ts", "deploy"], {
    env: { ...process.env, DATA_DIR: folder },
    encoding: "utf8",
  });
  rmSync(folder, { recursive: true });
  expect(status).toBe(1);
  expect(stdout).toContain("no server runs on");
});

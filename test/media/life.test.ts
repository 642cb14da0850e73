import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MediaLease } from "#wire";
import { type Media, PortTaken } from "../../media/index.ts";
import {
  freePort,
  openGateway,
  type RedisWorld,
  startRedis,
  startTestMedia,
  type TestGateway,
} from "./world.ts";

let redis: RedisWorld;
let media: Media & { rtcPort: number };
let gateway: TestGateway;
beforeAll(async () => {
  redis = await startRedis();
  media = await startTestMedia(redis, { demoShow: "demo" });
  gateway = await openGateway(redis, "m1");
});
afterAll(async () => {
  await media.stop();
  await redis.stop();
});

const lease = async (): Promise<MediaLease | undefined> => {
  const json = await gateway.raw.hget("dropcast:media", "m1");
  return json === null ? undefined : (JSON.parse(json) as MediaLease);
};

test("[MEDIA15] the lease is renewed each second by Redis' clock and says what is there", async () => {
  const before = await lease();
  const [seconds] = await gateway.raw.time();
  expect(before?.untilMs).toBeGreaterThan(Number(seconds) * 1000 + 1000);
  expect(before?.workers).toHaveLength(1);
  await expect
    .poll(async () => (await lease())?.untilMs ?? 0, { timeout: 3000 })
    .toBeGreaterThan((before?.untilMs ?? 0) + 900);
  await gateway.session("s", "v/a").signal("watch", {});
  await expect.poll(async () => (await lease())?.sessions, { timeout: 3000 }).toBe(1);
});

test("[MEDIA16] a taken port is named, and nothing is left of the attempt", async () => {
  const before = childrenNamed("mediasoup-worker").length;
  expect(before).toBe(1);
  await expect(startTestMedia(redis, { node: "m2", rtcPort: media.rtcPort })).rejects.toThrow(
    PortTaken,
  );
  await expect(startTestMedia(redis, { node: "m2", rtcPort: media.rtcPort })).rejects.toThrow(
    String(media.rtcPort),
  );
  expect(childrenNamed("mediasoup-worker").length).toBe(before);
});

test("[MEDIA17] asks are answered again after every Redis connection was cut", async () => {
  await gateway.raw.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  await gateway.raw.call("CLIENT", "KILL", "TYPE", "pubsub", "SKIPME", "yes");
  await expect
    .poll(
      async () =>
        (await gateway
          .session("demo", "v6/a")
          .signal("watch", {})
          .catch(() => ({}))) as object,
      { timeout: 15_000 },
    )
    .toHaveProperty("transport");
});

test("[MEDIA18] stop leaves nothing: the process ends by itself, its workers with it, its lease removed", async () => {
  const redisPort = gateway.raw.options.port ?? 0;
  const script = fileURLToPath(new URL("start-stop.ts", import.meta.url));
  const child = spawn(process.execPath, [script, String(redisPort), String(await freePort())], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.once("exit", resolve);
  let said = "";
  child.stdout.on("data", (bytes: Buffer) => (said += bytes.toString()));
  expect(await promise).toBe(0);
  const pids = JSON.parse(said) as number[];
  expect(pids).toHaveLength(2);
  expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
  expect(await gateway.raw.hexists("dropcast:media", "once")).toBe(0);
});

/** Pids of this process's living children of a name. */
function childrenNamed(name: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return (
        stat.includes(`(${name.slice(0, 15)})`) && state !== "Z" && parent === String(process.pid)
      );
    } catch (error) {
      if (
        (error as NodeJS.ErrnoException).code === "ENOENT" ||
        (error as NodeJS.ErrnoException).code === "ESRCH"
      )
        return false;
      throw error;
    }
  });
}

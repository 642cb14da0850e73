import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { Refusal } from "../../server/refusal.ts";
import { type RedisPurpose, connectRedis, whenReady } from "../../server/redis/connect.ts";
import { type EmbeddedRedisOptions, startEmbeddedRedis } from "../../server/redis/embedded.ts";
import { checkExternalRedis } from "../../server/redis/external.ts";
import { startRedisProcess } from "../../server/redis/process.ts";
import { isAlive } from "../../server/process-table.ts";
import { startThrowawayRedis } from "../helpers/redis.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "dropcast-test-"));
  folders.push(folder);
  return folder;
};

const silent = pino({ level: "silent" });

const connected = async (url: string, purpose: RedisPurpose = "command") => {
  const redis = connectRedis(url, purpose);
  await whenReady(redis);
  return redis;
};

const embedded = async (options: Partial<EmbeddedRedisOptions> = {}) => {
  const started = await startEmbeddedRedis({ dataDir: newFolder(), log: silent, ...options });
  onTestFinished(() => started.stop());
  return started;
};

const fakeServer = (version: string): string => {
  const program = join(newFolder(), "redis-server");
  writeFileSync(
    program,
    `#!/bin/sh\necho "Redis server v=${version} sha=00000000:0 malloc=libc bits=64"\n`,
  );
  chmodSync(program, 0o755);
  return program;
};

test("[REDIS1] the private Redis listens on no network, keeps every write on disk, and evicts nothing", async () => {
  const { url } = await embedded();
  const redis = await connected(url);
  const setting = async (name: string) => (await redis.config("GET", name))[1];
  expect(await setting("port")).toBe("0");
  expect(await setting("appendonly")).toBe("yes");
  expect(await setting("appendfsync")).toBe("always");
  expect(await setting("maxmemory-policy")).toBe("noeviction");
  redis.disconnect();
});

test("[REDIS2] killed with SIGKILL it comes back by itself with every acknowledged write", async () => {
  const told: string[] = [];
  const up = Promise.withResolvers<void>();
  const server = await embedded({
    onDied: () => told.push("died"),
    onUp: () => {
      told.push("up");
      up.resolve();
    },
  });
  const redis = await connected(server.url);
  for (let unit = 0; unit < 100; unit += 1) await redis.incr("sold");
  const before = server.pid;
  process.kill(before, "SIGKILL");
  await up.promise;
  await whenReady(redis);
  expect(server.pid).not.toBe(before);
  expect(await redis.get("sold")).toBe("100");
  expect(told).toEqual(["died", "up"]);
  redis.disconnect();
});

test("[REDIS3] a Redis older than 7.0, or none, is refused with the remedy", async () => {
  const old = embedded({ program: fakeServer("6.2.14") });
  await expect(old).rejects.toThrow(
    /redis-server is 6\.2\.14, too old: install Redis 7\.0 or newer \(sudo apt-get/,
  );
  const none = embedded({ program: "/nowhere/redis-server" });
  await expect(none).rejects.toThrow(/does not run .*sudo apt-get install redis-server/);
  await expect(none).rejects.toBeInstanceOf(Refusal);
});

test("[REDIS4] a folder too deep for a unix socket works all the same", async () => {
  const dataDir = join(newFolder(), "deep".repeat(20), "deeper".repeat(10));
  mkdirSync(dataDir, { recursive: true });
  const { url } = await embedded({ dataDir });
  expect(Buffer.byteLength(url) - "unix://".length).toBeLessThan(108);
  const redis = await connected(url);
  expect(await redis.ping()).toBe("PONG");
  redis.disconnect();
});

test("[REDIS5] an orphan on the same data is ended cleanly before the new one starts", async () => {
  const dataDir = newFolder();
  const orphan = await startRedisProcess({ dir: join(dataDir, "redis") });
  const before = await connected(orphan.url);
  await before.set("kept", "yes");
  before.disconnect();
  const { url, pid } = await embedded({ dataDir });
  expect(isAlive(orphan.pid)).toBe(false);
  expect(isAlive(pid)).toBe(true);
  const redis = await connected(url);
  expect(await redis.get("kept")).toBe("yes");
  redis.disconnect();
});

test("[REDIS6] stop leaves no process and no socket, also while it is on its way back", async () => {
  const died = Promise.withResolvers<void>();
  const server = await startEmbeddedRedis({
    dataDir: newFolder(),
    log: silent,
    onDied: died.resolve,
  });
  const { pid } = server;
  process.kill(pid, "SIGKILL");
  await died.promise;
  await server.stop();
  expect(isAlive(server.pid)).toBe(false);
  expect(existsSync(server.url.slice("unix://".length))).toBe(false);
});

test("[REDIS7] an outage is two log lines, fails commands fast, and leaves blocking reads and subscriptions whole", async () => {
  const server = await startThrowawayRedis();
  onTestFinished(() => server.stop());
  const lines: string[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => void lines.push(line) });
  const command = connectRedis(server.url, "command", log);
  const blocking = await connected(server.url, "blocking");
  const subscriber = await connected(server.path, "subscriber");
  await whenReady(command);
  const heard = Promise.withResolvers<string>();
  subscriber.on("message", (_channel, message) => heard.resolve(message));
  await subscriber.subscribe("news");
  const read = blocking.xread("BLOCK", 0, "STREAMS", "log", "$");

  await server.kill("SIGKILL");
  await expect.poll(() => command.status).not.toBe("ready");
  const askedAtMs = performance.now();
  await expect(command.get("x")).rejects.toThrow();
  expect(performance.now() - askedAtMs).toBeLessThan(200);
  await expect.poll(() => lines.length, { timeout: 5000 }).toBe(1);
  await server.restart();
  await Promise.all([command, blocking, subscriber].map((redis) => whenReady(redis)));
  await expect.poll(() => command.pubsub("NUMSUB", "news")).toEqual(["news", 1]);
  await command.publish("news", "hello");
  expect(await heard.promise).toBe("hello");
  // The read is sent again after the outage; its "$" counts from then on.
  await expect
    .poll(() => command.info("clients"), { timeout: 5000 })
    .toContain("blocked_clients:1");
  await command.xadd("log", "*", "field", "value");
  expect(JSON.stringify(await read)).toContain("value");
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    "Redis is out of reach, trying again",
    "Redis is back",
  ]);
  for (const redis of [command, blocking, subscriber]) redis.disconnect();
});

test("[REDIS9] a subscriber that is told to close while it subscribes again ends quietly", async () => {
  const server = await startThrowawayRedis();
  onTestFinished(() => server.stop());
  const admin = await connected(server.url);
  const subscriber = await connected(server.url, "subscriber");
  await subscriber.subscribe("news");
  // A promise that nobody looks at would end a process of the server; here it fails the run.
  const closed = new Promise<void>((resolve) =>
    subscriber.once("ready", () => {
      subscriber.once("end", resolve);
      subscriber.disconnect();
      // The answer to what has just been asked is lost.
      const { stream } = subscriber as unknown as { readonly stream: Socket };
      stream.destroy();
    }),
  );
  await admin.call("CLIENT", "KILL", "TYPE", "pubsub");
  await closed;
  await expect(subscriber.subscribe("more")).rejects.toThrow("Connection is closed");
  admin.disconnect();
});

test("[REDIS8] the Redis of REDIS_URL is refused when out of reach, and its weaknesses are named", async () => {
  await expect(checkExternalRedis("redis://:secret@127.0.0.1:1")).rejects.toThrow(
    /REDIS_URL: redis:\/\/…@127\.0\.0\.1:1 cannot be used \(.*ECONNREFUSED.*\): start it, correct REDIS_URL, or unset it/,
  );
  const server = await startThrowawayRedis({ fsyncAlways: false });
  onTestFinished(() => server.stop());
  const redis = await connected(server.url);
  await redis.config("SET", "maxmemory-policy", "allkeys-lru");
  redis.disconnect();
  const facts = await checkExternalRedis(server.url);
  expect(facts.weaknesses).toEqual([
    expect.stringContaining("appendfsync everysec"),
    expect.stringContaining("maxmemory-policy allkeys-lru"),
  ]);
  expect(Math.abs(facts.clockAheadMs)).toBeLessThan(1000);
});

import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { isAlive } from "../../server/process-table.ts";
import { connectRedis, whenReady } from "../../server/redis/connect.ts";
import { type WholeServerOptions, spawnServer, startServer } from "../helpers/server.ts";

const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "dropcast-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

const started = async (options?: WholeServerOptions) => {
  const server = await startServer(options);
  onTestFinished(async () => void (await server.stop()));
  return server;
};

/** Starts it, waits for its end, and gives the lines that begin with ✗. */
const refused = async (env: Readonly<Record<string, string>>, dataDir?: string) => {
  const server = spawnServer({ env, ...(dataDir === undefined ? {} : { dataDir }) });
  const { code } = await server.exited;
  await server.stop();
  return {
    code,
    problems: server
      .output()
      .split("\n")
      .filter((line) => line.startsWith("✗")),
  };
};

const script = (name: string, text: string): string => {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
  return file;
};

const takenPort = async (): Promise<number> => {
  const blocker = createServer();
  await new Promise<void>((listening) => blocker.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void blocker.close());
  return (blocker.address() as AddressInfo).port;
};

const inUse = async (port: number): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = createServer();
  probe.once("error", () => resolve(true));
  probe.listen({ port, host: "127.0.0.1", exclusive: true }, () =>
    probe.close(() => resolve(false)),
  );
  return promise;
};

test("[SETUP1] bad variables, all of them, end the start with one line each and exit code 1", async () => {
  const { code, problems } = await refused({ PORT: "http", MEDIA_WORKERS: "-1" });
  expect(code).toBe(1);
  expect(problems).toEqual([
    '✗ PORT must be a whole number from 0 to 65535 (is "http")',
    '✗ MEDIA_WORKERS must be a whole number from 0 to 64 (is "-1")',
  ]);
});

test("[SETUP2] taken ports end the start with one line each that names the variable", async () => {
  const [rt, rtc] = [await takenPort(), await takenPort()];
  const { code, problems } = await refused({ RT_PORT: String(rt), RTC_PORT: String(rtc) });
  expect(code).toBe(1);
  expect(problems).toEqual([
    `✗ port ${rt} is taken by another program: stop that one, or set RT_PORT to a free port`,
    `✗ port ${rtc} is taken by another program: stop that one, or set RTC_PORT to a free port`,
  ]);
});

test("[SETUP10] one port for two purposes is refused", async () => {
  const { code, problems } = await refused({ PORT: "18080", RT_PORT: "18080" });
  expect(code).toBe(1);
  expect(problems).toEqual(["✗ PORT and RT_PORT are both 18080: set one of them to another"]);
});

test("[SETUP3] an old Redis, or a REDIS_URL out of reach, ends the start with the remedy", async () => {
  const old = await refused({
    REDIS_SERVER_BIN: script("redis-server", "echo Redis server v=6.0.16 sha=0"),
  });
  expect(old.code).toBe(1);
  expect(old.problems).toEqual([
    expect.stringMatching(/is 6\.0\.16, too old: .*apt-get install redis-server/),
  ]);
  const away = await refused({ REDIS_URL: "redis://127.0.0.1:1" });
  expect(away.code).toBe(1);
  expect(away.problems).toEqual([
    expect.stringMatching(/REDIS_URL: redis:\/\/127\.0\.0\.1:1 cannot be used/),
  ]);
});

test("[SETUP4] a missing media worker ends the start with the remedy", async () => {
  const { code, problems } = await refused({ MEDIASOUP_WORKER_BIN: "/nowhere/mediasoup-worker" });
  expect(code).toBe(1);
  expect(problems).toEqual([
    "✗ the media worker /nowhere/mediasoup-worker is missing: correct or unset MEDIASOUP_WORKER_BIN",
  ]);
});

test("[SETUP5] a second server on the same data folder is refused; one killed leaves no lock", async () => {
  const dataDir = temporaryFolder();
  const first = await started({ dataDir });
  const { code, problems } = await refused({}, dataDir);
  expect(code).toBe(1);
  expect(problems).toEqual([
    expect.stringContaining(`is in use by another Dropcast (process ${first.pid})`),
  ]);
  process.kill(first.pid, "SIGKILL");
  await first.exited;
  const second = await started({ dataDir });
  expect(second.adminKey).toBe(first.adminKey);
});

test("[SETUP6] the admin key is made once, for its owner only, and the second start is ready within 5 s", async () => {
  const dataDir = temporaryFolder();
  const first = await startServer({ dataDir });
  await first.stop();
  expect(first.adminKey.length).toBeGreaterThanOrEqual(32);
  expect(statSync(join(dataDir, "admin-key")).mode & 0o777).toBe(0o600);
  const startedAtMs = performance.now();
  const second = await started({ dataDir });
  expect(performance.now() - startedAtMs).toBeLessThan(5000);
  expect(second.adminKey).toBe(first.adminKey);
});

test("[PROC5] SIGTERM ends everything: exit code 0, no process, no port, no lock left", async () => {
  const dataDir = temporaryFolder();
  const server = await started({ dataDir, env: { GATEWAYS: "2" } });
  const pids = server.descendants();
  expect(pids.length).toBeGreaterThanOrEqual(5);
  process.kill(server.pid, "SIGTERM");
  expect(await server.exited).toEqual({ code: 0, signal: null });
  expect(pids.filter(isAlive)).toEqual([]);
  expect(await Promise.all([server.port, server.rtPort, server.rtcPort].map(inUse))).toEqual([
    false,
    false,
    false,
  ]);
  expect(existsSync(join(dataDir, "lock"))).toBe(false);
});

test("[PROC6] a role killed with SIGKILL is started again and the others stay", async () => {
  const server = await started();
  for (const name of ["gateway-0", "control-0", "media-0"]) {
    const before = server.pidOf(name);
    const others = ["gateway-0", "control-0", "media-0", "redis"].filter((other) => other !== name);
    const pids = others.map((other) => server.pidOf(other));
    process.kill(before, "SIGKILL");
    await server.printed(new RegExp(`${name} died how=SIGKILL`));
    await expect.poll(() => server.pidOf(name), { timeout: 10_000 }).not.toBe(before);
    expect(others.map((other) => server.pidOf(other))).toEqual(pids);
    expect(pids.every(isAlive)).toBe(true);
  }
});

test("[PROC7] Redis killed with SIGKILL comes back with its data, and no role dies of it", async () => {
  const server = await started();
  const roles = ["gateway-0", "control-0", "media-0"].map((name) => server.pidOf(name));
  const [, url = ""] =
    /(unix:\/\/\S+)/.exec(`unix://${join(server.dataDir, "redis/redis.sock")}`) ?? [];
  const redis = connectRedis(url, "command");
  onTestFinished(() => redis.disconnect());
  await whenReady(redis);
  await redis.set("test:kept", "yes");
  process.kill(server.pidOf("redis"), "SIGKILL");
  await server.printed(/Redis runs again/);
  await whenReady(redis);
  expect(await redis.get("test:kept")).toBe("yes");
  await new Promise((later) => setTimeout(later, 1500));
  expect(["gateway-0", "control-0", "media-0"].map((name) => server.pidOf(name))).toEqual(roles);
  expect(roles.every(isAlive)).toBe(true);
});

test("[PROC8] the supervisor killed with SIGKILL leaves no process behind", async () => {
  const server = await started();
  const pids = server.descendants();
  process.kill(server.pid, "SIGKILL");
  await server.exited;
  await expect.poll(() => pids.filter(isAlive), { timeout: 10_000 }).toEqual([]);
});

test("[PROC9] a second signal ends a stop that takes too long", async () => {
  const server = await started({ env: { DRAIN_MS: "30000" } });
  const pids = server.descendants();
  process.kill(server.pidOf("control-0"), "SIGSTOP");
  process.kill(server.pid, "SIGINT");
  await server.printed(/stopping signal=SIGINT/);
  process.kill(server.pid, "SIGINT");
  expect(await server.exited).toEqual({ code: 1, signal: null });
  await expect.poll(() => pids.filter(isAlive), { timeout: 5000 }).toEqual([]);
});

test("[PROC15] a gateway alone joins the Redis of the others and ends by SIGTERM; without their key it refuses", async () => {
  const server = await started();
  const redisUrl = `unix://${join(server.dataDir, "redis/redis.sock")}`;
  const env = { REDIS_URL: redisUrl, RT_PORT: String(server.rtPort) };
  const alone = spawnServer({ command: "gateway", env: { ...env, ADMIN_KEY: server.adminKey } });
  await alone.printed(/gateway\s+ready/);
  process.kill(alone.pid, "SIGTERM");
  expect(await alone.exited).toEqual({ code: 0, signal: null });
  await alone.stop();

  const keyless = spawnServer({ command: "gateway", env });
  expect((await keyless.exited).code).toBe(78);
  expect(keyless.output()).toContain("ADMIN_KEY is not set and DATA_DIR/admin-key is missing");
  await keyless.stop();
});

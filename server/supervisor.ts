/**
 * `npm start`: one small process over the others. It takes the data folder, checks the ports, starts Redis (unless
 * REDIS_URL names one), builds the pages when they changed, starts every role and restarts whichever dies. Nothing
 * of the shop, the room or the video runs here, so nothing of them can bring it down. Stopping drains the gateways
 * first and ends Redis last; no child is left.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  type Config,
  childEnvironment,
  deriveTokenSecret,
  isStartedByNpm,
  projectDir,
} from "./config.ts";
import { adminKeyOf, nodeIdOf } from "./keys.ts";
import { type Running, createRunning } from "./lifecycle.ts";
import { type Logger, createLog, print } from "./log.ts";
import { Refusal } from "./refusal.ts";
import { startEmbeddedRedis } from "./redis/embedded.ts";
import { checkExternalRedis } from "./redis/external.ts";
import type { Role } from "./role.ts";
import { buildPages } from "./supervisor/build-pages.ts";
import { lockFolder } from "./supervisor/folder-lock.ts";
import { linksText } from "./supervisor/links.ts";
import { checkMediaWorker } from "./supervisor/media-worker.ts";
import { claimPorts } from "./supervisor/ports.ts";
import { type RoleProcess, startRoleProcess } from "./supervisor/role-process.ts";

const maxPartStopMs = 25_000;
/** Beyond DRAIN_MS, before SIGKILL. */
const roleGraceMs = 6000;

interface Supervision {
  readonly log: Logger;
  readonly running: Running;
  /** Ends each child at once: for the person who asks a second time. */
  readonly kills: Array<() => void>;
}

export async function runSupervisor(config: Config): Promise<void> {
  const log = createLog(config, "supervisor");
  const running = createRunning(maxPartStopMs, (part, error) =>
    log.error({ err: error }, `${part} did not stop cleanly`),
  );
  const supervision: Supervision = { log, running, kills: [] };
  endOnSignal(supervision);
  try {
    const full = await prepare(config, supervision);
    await startRoles(full, supervision);
    if (!running.stopping) print(linksText({ ...full, startedInMs: process.uptime() * 1000 }));
  } catch (error) {
    // A signal overtook the start: what fails now fails because of it.
    if (running.stopping) return;
    if (error instanceof Refusal) for (const problem of error.problems) print(`✗ ${problem}\n`);
    else log.fatal({ err: error }, "Dropcast does not start");
    await running.stop();
    process.exit(1);
  }
}

interface FullConfig extends Config {
  readonly adminKey: string;
  readonly tokenSecret: string;
  readonly redisUrl: string;
  readonly nodeId: string;
}

/** Everything the roles need before they start. @throws Refusal */
async function prepare(config: Config, supervision: Supervision): Promise<FullConfig> {
  const { log, running } = supervision;
  mkdirSync(config.dataDir, { recursive: true });
  const unlock = await lockFolder(config.dataDir);
  running.add({ name: "lock", stop: async () => unlock() });
  const ports = await claimPorts(config);
  log.info({ ...ports }, "the ports are free");
  if (config.mediaWorkers > 0) checkMediaWorker(config.mediasoupWorkerBin);
  const [redisUrl] = await Promise.all([
    readyRedis(config, supervision),
    readyPages(config, supervision),
  ]);
  const adminKey = adminKeyOf(config.adminKey, config.dataDir);
  return {
    ...config,
    ...ports,
    redisUrl,
    adminKey,
    tokenSecret: config.tokenSecret ?? deriveTokenSecret(adminKey),
    nodeId: nodeIdOf(config.nodeId, config.dataDir),
  };
}

async function readyPages(config: Config, { log, running }: Supervision): Promise<void> {
  const abort = new AbortController();
  running.add({ name: "pages", stop: async () => abort.abort() });
  await buildPages(config.dataDir, log, abort.signal);
}

/** @returns its URL */
async function readyRedis(config: Config, { log, running, kills }: Supervision): Promise<string> {
  if (config.redisUrl !== undefined) {
    const { version, weaknesses } = await checkExternalRedis(config.redisUrl);
    log.info({ version }, "Redis of REDIS_URL answers");
    for (const weakness of weaknesses) log.warn(weakness);
    return config.redisUrl;
  }
  const redis = await startEmbeddedRedis({
    dataDir: config.dataDir,
    program: config.redisServerBin,
    log,
  });
  kills.push(() => process.kill(redis.pid, "SIGTERM"));
  running.add({ name: "redis", stop: () => redis.stop() });
  return redis.url;
}

/** Starts all at once: any of them can live without the others for a while. */
async function startRoles(config: FullConfig, { log, running, kills }: Supervision): Promise<void> {
  const givenUp = Promise.withResolvers<never>();
  const maxStopMs = config.drainMs + roleGraceMs;
  const start = (role: Role, count: number): readonly RoleProcess[] => {
    const processes = Array.from({ length: count }, (_, index) => {
      const name = `${role}-${index}`;
      return startRoleProcess({
        name,
        role,
        main: join(projectDir, "server/main.ts"),
        environment: (restarts) => roleEnvironment(config, name, restarts),
        log,
        onGivenUp: () => givenUp.reject(new Refusal(`${name} does not start: the reason is above`)),
      });
    });
    kills.push(...processes.map((each) => () => each.kill()));
    running.add({
      name: role,
      maxStopMs: maxStopMs + roleGraceMs,
      stop: async () => void (await Promise.all(processes.map((each) => each.stop(maxStopMs)))),
    });
    return processes;
  };
  const all = [
    ...start("control", 1),
    ...start("media", config.mediaWorkers > 0 ? 1 : 0),
    ...start("gateway", config.gateways),
  ];
  await Promise.race([Promise.all(all.map((each) => each.ready)), givenUp.promise]);
}

/** A fault point is armed once: the process that comes back must not die of it again. */
const roleEnvironment = (
  config: FullConfig,
  name: string,
  restarts: number,
): Record<string, string> =>
  childEnvironment({
    ...config,
    nodeId: `${config.nodeId}-${name}`,
    faultPoint: restarts === 0 ? config.faultPoint : undefined,
  });

function endOnSignal({ log, running, kills }: Supervision): void {
  let asked = false;
  const end = (signal: NodeJS.Signals): void => {
    if (asked) {
      log.warn("stopping at once");
      for (const kill of kills) kill();
      process.exit(1);
    }
    asked = true;
    log.info({ signal }, "stopping");
    void running.stop().then(() => {
      log.info("stopped");
      process.exit(0);
    });
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  process.on("SIGHUP", end);
  endWithNpm(() => end("SIGHUP"));
}

/** A killed npm would leave behind a server that nobody's terminal can stop. */
function endWithNpm(end: () => void): void {
  const npmPid = process.ppid;
  if (!isStartedByNpm()) return;
  const timer = setInterval(() => {
    if (process.ppid === npmPid) return;
    clearInterval(timer);
    end();
  }, 1000);
  timer.unref();
}

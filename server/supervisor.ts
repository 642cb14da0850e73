/**
 * `npm start`: one small process over the others. It takes the data folder, checks the ports, starts Redis (unless
 * REDIS_URL names one), builds the pages when they changed, starts every role and restarts whichever dies. Nothing
 * of the shop, the room or the video runs here, so nothing of them can bring it down. Stopping drains the gateways
 * first and ends Redis last; no child is left. SIGUSR2 deploys: gateways and control are replaced one after the other.
 */
import { mkdirSync } from "node:fs";
import { type Config, deriveTokenSecret, isStartedByNpm } from "./config.ts";
import { adminKeyOf, nodeIdOf } from "./keys.ts";
import { type Running, createRunning } from "./lifecycle.ts";
import { type Logger, createLog, print } from "./log.ts";
import { Refusal } from "./refusal.ts";
import { startEmbeddedRedis } from "./redis/embedded.ts";
import { checkExternalRedis } from "./redis/external.ts";
import { buildPages } from "./supervisor/build-pages.ts";
import { lockFolder } from "./supervisor/folder-lock.ts";
import { linksText } from "./supervisor/links.ts";
import { checkMediaWorker } from "./supervisor/media-worker.ts";
import { claimPorts } from "./supervisor/ports.ts";
import { type Roles, startRoles } from "./supervisor/roles.ts";

const maxPartStopMs = 25_000;

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
    const roles = startRoles({ config: full, running, log });
    supervision.kills.push(() => roles.kill());
    await roles.ready;
    process.on("SIGUSR2", () => void deploy(full, roles, supervision));
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

/** New code, new processes; nobody watching or buying is to notice. */
async function deploy(
  config: FullConfig,
  roles: Roles,
  { log, running }: Supervision,
): Promise<void> {
  try {
    await buildPages(config.dataDir, log);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return log.error({ problems: error.problems }, "deploy: not begun, what runs goes on");
  }
  if (!running.stopping) await roles.replace();
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

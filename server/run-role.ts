/**
 * One role in this process, under the supervisor or alone on another machine. Ends by SIGTERM, or by itself when the
 * supervisor is gone; an unhandled error is a bug: logged as fatal, exit 1, and the supervisor starts it again.
 */
import { takeName } from "./alone.ts";
import { type Config, deriveTokenSecret } from "./config.ts";
import { keptAdminKey, nodeIdOf } from "./keys.ts";
import { type Running, createRunning } from "./lifecycle.ts";
import { type Logger, createLog } from "./log.ts";
import { Refusal } from "./refusal.ts";
import { checkExternalRedis } from "./redis/external.ts";
import {
  REFUSED_EXIT_CODE,
  type ReadyMessage,
  type Role,
  type RoleConfig,
  type RoleContext,
} from "./role.ts";
import { buildPages } from "./supervisor/build-pages.ts";

type Start = (context: RoleContext) => Promise<unknown>;

/** Imported only when asked for: a gateway never loads mediasoup or Fastify. */
const STARTERS: Readonly<Record<Role, () => Promise<Start>>> = {
  control: async () => (await import("./control/index.ts")).startControl,
  media: async () => (await import("./media-role.ts")).startMediaRole,
  gateway: async () => (await import("./gateway/index.ts")).startGateway,
};

const graceMs = 2000;

/** @param name in the log */
export async function runRole(role: Role, config: Config): Promise<void> {
  const isSupervised = process.connected;
  const log = createLog(
    config,
    config.nodeId !== undefined && isSupervised ? shortName(config.nodeId) : role,
  );
  endOnBugs(log);
  const running = createRunning(config.drainMs + graceMs, (part, error) =>
    log.error({ err: error }, `${part} did not stop cleanly`),
  );
  endOnRequest(running, log, isSupervised);
  try {
    const full = completeConfig(role, config, isSupervised);
    if (!isSupervised) await prepareAlone(role, full, log);
    const nodeId = isSupervised ? full.nodeId : await nodeIdAlone(role, config, running);
    const start = await STARTERS[role]();
    await start({ config: { ...full, nodeId }, log, running });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    for (const problem of error.problems) log.fatal(problem);
    await running.stop();
    process.exit(REFUSED_EXIT_CODE);
  }
  if (running.stopping) return;
  const message: ReadyMessage = { ready: true, role, pid: process.pid };
  if (isSupervised) process.send?.(message);
  else log.info("ready");
}

/** `1f2e3d4c-gateway-0` → `gateway-0`, `1f2e3d4c-gateway-0b` → `gateway-0b` */
const shortName = (nodeId: string): string =>
  /(?:control|media|gateway)-\d+b?$/.exec(nodeId)?.[0] ?? nodeId;

/** @throws Refusal */
function completeConfig(role: Role, config: Config, isSupervised: boolean): RoleConfig {
  const { redisUrl } = config;
  const adminKey = config.adminKey ?? keptAdminKey(config.dataDir);
  const problems: string[] = [];
  if (redisUrl === undefined) {
    problems.push(
      `REDIS_URL is not set: ${role} alone needs the Redis of the others (npm start runs everything)`,
    );
  }
  if (adminKey === undefined) {
    problems.push(
      "ADMIN_KEY is not set and DATA_DIR/admin-key is missing: set it to the key of the others",
    );
  }
  if (redisUrl === undefined || adminKey === undefined) throw new Refusal(...problems);
  return {
    ...config,
    redisUrl,
    adminKey,
    // One recorded host in the installation, not one per machine.
    demo: config.demo && isSupervised,
    tokenSecret: config.tokenSecret ?? deriveTokenSecret(adminKey),
    nodeId: config.nodeId ?? `${role}-${process.pid}`,
  };
}

/** Only a gateway keeps something under its name; where any port will do, nobody could find it again. */
async function nodeIdAlone(
  role: Role,
  { nodeId, dataDir, rtPort }: Config,
  running: Running,
): Promise<string> {
  const machine = nodeIdOf(nodeId, dataDir);
  if (role !== "gateway" || rtPort === 0) return `${machine}-${role}-${process.pid}`;
  const { name, part } = await takeName(dataDir, rtPort);
  running.add(part);
  return `${machine}-${name}`;
}

/** What the supervisor otherwise does for its children. */
async function prepareAlone(role: Role, config: RoleConfig, log: Logger): Promise<void> {
  const { weaknesses } = await checkExternalRedis(config.redisUrl);
  for (const weakness of weaknesses) log.warn(weakness);
  if (role === "control") await buildPages(config.dataDir, log);
}

function endOnBugs(log: Logger): void {
  const end = (error: unknown): void => {
    log.fatal({ err: error }, "bug: this process ends");
    process.exit(1);
  };
  process.on("uncaughtException", end);
  process.on("unhandledRejection", end);
}

function endOnRequest(running: Running, log: Logger, isSupervised: boolean): void {
  let asked = false;
  const end = (why: string): void => {
    if (asked && !isSupervised) process.exit(1);
    if (asked) return;
    asked = true;
    log.debug(`stopping: ${why}`);
    void running.stop().then(() => process.exit(0));
  };
  process.on("SIGTERM", () => end("SIGTERM"));
  process.on("SIGINT", () => end("SIGINT"));
  process.on("disconnect", () => end("the supervisor is gone"));
}

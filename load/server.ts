/**
 * The server that a load run works on: the one that BASE_URL names, else the one that runs here (`.dropcast/admin-key`), else one
 * of our own on free ports with its data in a temporary folder, ended afterwards.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "./free-port.ts";

export interface TargetServer {
  /** `http://host:port` */
  readonly baseUrl: string;
  /** `ws://host:port` */
  readonly rtUrl: string;
  readonly adminKey: string;
  /** Started by us: nothing of the run stays anywhere. */
  readonly isOurs: boolean;
  stop(): Promise<void>;
}

/** The run cannot begin; the message says what to do. */
export class NoServer extends Error {
  override readonly name = "NoServer";
}

const projectDir = fileURLToPath(new URL("..", import.meta.url));
const env = process.env;
const READY_WITHIN_MS = 90_000;
const STOP_WITHIN_MS = 15_000;

export async function findServer(say: (text: string) => void): Promise<TargetServer> {
  const named = env["BASE_URL"];
  if (named !== undefined && named !== "") return existing(named, env["ADMIN_KEY"] ?? keptKey());
  const local = `http://127.0.0.1:${env["PORT"] ?? "8080"}`;
  const key = env["ADMIN_KEY"] ?? keptKey();
  if (key !== undefined && (await isReady(local))) return existing(local, key);
  say("no server runs here: starting one for this run");
  return own();
}

/** The admin key that `npm start` has kept. */
function keptKey(): string | undefined {
  const file = join(projectDir, env["DATA_DIR"] ?? ".dropcast", "admin-key");
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}

async function isReady(baseUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${baseUrl}/readyz`, { signal: AbortSignal.timeout(1000) })).ok;
  } catch {
    // Nobody listens there: the answer, not a failure.
    return false;
  }
}

async function existing(named: string, adminKey: string | undefined): Promise<TargetServer> {
  const baseUrl = named.replace(/\/+$/, "");
  if (adminKey === undefined) throw new NoServer(`${baseUrl} needs its admin key: set ADMIN_KEY`);
  if (!(await isReady(baseUrl)))
    throw new NoServer(`${baseUrl} is not ready: start it, or unset BASE_URL`);
  return {
    baseUrl,
    rtUrl: await rtUrlOf(baseUrl),
    adminKey,
    isOurs: false,
    stop: async () => undefined,
  };
}

async function rtUrlOf(baseUrl: string): Promise<string> {
  const set = env["RT_URL"];
  if (set !== undefined && set !== "") return set;
  const { rtPort } = (await (await fetch(`${baseUrl}/v1/config`)).json()) as { rtPort: number };
  const { protocol, hostname } = new URL(baseUrl);
  return `${protocol === "https:" ? "wss" : "ws"}://${hostname}:${rtPort}`;
}

async function own(): Promise<TargetServer> {
  const dataDir = mkdtempSync(join(tmpdir(), "dropcast-load-"));
  const adminKey = randomBytes(24).toString("base64url");
  const [port, rtPort] = [await freePort(), await freePort()];
  const settings = {
    PORT: String(port),
    RT_PORT: String(rtPort),
    HOST: "127.0.0.1",
    ADMIN_KEY: adminKey,
    TOKEN_SECRET: "",
    REDIS_URL: "",
    DATA_DIR: dataDir,
    DEMO: "0",
    MEDIA_WORKERS: "0",
    DRAIN_MS: "0",
    LOG_LEVEL: "warn",
  };
  const child = spawn(process.execPath, [join(projectDir, "server/main.ts")], {
    env: { ...env, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const hear = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-4000);
  };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  const ended = once(child, "exit");
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  const stop = async (): Promise<void> => {
    if (isAlive()) child.kill("SIGTERM");
    const enough = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
    await ended;
    clearTimeout(enough);
    rmSync(dataDir, { recursive: true, force: true });
  };
  const baseUrl = `http://127.0.0.1:${port}`;
  const giveUpMs = performance.now() + READY_WITHIN_MS;
  while (isAlive() && performance.now() < giveUpMs) {
    if (await isReady(baseUrl))
      return { baseUrl, rtUrl: `ws://127.0.0.1:${rtPort}`, adminKey, isOurs: true, stop };
    await sleep(100);
  }
  await stop();
  throw new NoServer(`the server did not start; its last words:\n${said}`);
}

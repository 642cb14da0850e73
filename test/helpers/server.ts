/** The whole server of one test, as a person starts it: `node server/main.ts` on free ports and its own data folder. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { projectDir } from "../../server/config.ts";
import type { Role } from "../../server/role.ts";
import { buildPages } from "../../server/supervisor/build-pages.ts";

export interface WholeServerOptions {
  /** On top of free ports, a temporary DATA_DIR, DRAIN_MS=200, DEMO=0 and one gateway. */
  readonly env?: Readonly<Record<string, string>>;
  /** One role alone instead of everything. */
  readonly command?: Role;
  /** Made, and removed at `stop`, when not given. */
  readonly dataDir?: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StartedProcess {
  readonly pid: number;
  readonly dataDir: string;
  /** Everything printed so far. */
  output(): string;
  /** Process id by name (`redis`, `control-0`, `gateway-0`, `media-0`), of those running now. */
  pidOf(name: string): number;
  /** Waits until the pattern is printed. */
  printed(pattern: RegExp, maxMs?: number): Promise<RegExpExecArray>;
  /** All processes below it now, at any depth. */
  descendants(): readonly number[];
  readonly exited: Promise<Exit>;
  /** SIGTERM, waits for the end, removes the folder. */
  stop(): Promise<Exit>;
}

export interface WholeServer extends StartedProcess {
  readonly httpUrl: string;
  readonly wsUrl: string;
  readonly port: number;
  readonly rtPort: number;
  readonly rtcPort: number;
  readonly adminKey: string;
}

const main = join(projectDir, "server/main.ts");
const maxStartMs = 60_000;

/** Starts it and does not wait: for tests of starts that fail. */
export function spawnServer({
  env = {},
  dataDir,
  command,
}: WholeServerOptions = {}): StartedProcess {
  const dir = dataDir ?? mkdtempSync(join(tmpdir(), "dropcast-"));
  const child = spawn(process.execPath, [main, ...(command === undefined ? [] : [command])], {
    cwd: projectDir,
    env: { ...process.env, ...FOR_TESTS, DATA_DIR: dir, ...env, npm_lifecycle_event: undefined },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
    });
  }
  const exited = exitOf(child);
  const pid = child.pid ?? -1;
  return {
    pid,
    dataDir: dir,
    exited,
    output: () => text,
    pidOf: (name) => pidIn(text, name),
    descendants: () => descendantsOf(pid),
    async printed(pattern, maxMs = 10_000) {
      const giveUpAtMs = performance.now() + maxMs;
      for (;;) {
        const found = pattern.exec(text);
        if (found !== null) return found;
        if (performance.now() > giveUpAtMs) throw new Error(`${pattern} was not printed:\n${text}`);
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`it ended:\n${text}`);
        await sleep(20);
      }
    },
    async stop() {
      child.kill("SIGTERM");
      const exit = await exited;
      if (dataDir === undefined) rmSync(dir, { recursive: true, force: true });
      return exit;
    },
  };
}

/** Resolves when the links are printed. */
export async function startServer(options: WholeServerOptions = {}): Promise<WholeServer> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "dropcast-"));
  await lendPages(dataDir);
  const started = spawnServer({ ...options, dataDir });
  try {
    await started.printed(/is ready \(/, maxStartMs);
    const [, port, rtPort, rtcPort] = await started.printed(
      /the ports are free port=(\d+) rtPort=(\d+) rtcPort=(\d+)/,
    );
    const [, adminKey = ""] = await started.printed(/\/ops#key=(\S+)/);
    return {
      ...started,
      async stop() {
        const exit = await started.stop();
        if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
        return exit;
      },
      port: Number(port),
      rtPort: Number(rtPort),
      rtcPort: Number(rtcPort),
      httpUrl: `http://127.0.0.1:${port}`,
      wsUrl: `ws://127.0.0.1:${rtPort}`,
      adminKey,
    };
  } catch (error) {
    await started.stop();
    throw error;
  }
}

/** The pages are built once for all tests; each data folder links to them. */
async function lendPages(dataDir: string): Promise<void> {
  const shared = join(projectDir, ".dropcast-test");
  mkdirSync(shared, { recursive: true });
  await buildPages(shared, pino({ level: "silent" }));
  const built = join(shared, "pages");
  if (existsSync(built) && !existsSync(join(dataDir, "pages")))
    symlinkSync(built, join(dataDir, "pages"));
}

const FOR_TESTS: Readonly<Record<string, string>> = {
  PORT: "0",
  RT_PORT: "0",
  RTC_PORT: "0",
  HOST: "127.0.0.1",
  GATEWAYS: "1",
  MEDIA_WORKERS: "1",
  DEMO: "0",
  DRAIN_MS: "200",
  REDIS_URL: "",
  ADMIN_KEY: "",
  LOG_LEVEL: "info",
  LOG_FORMAT: "text",
};

function exitOf(child: ChildProcess): Promise<Exit> {
  const { promise, resolve } = Promise.withResolvers<Exit>();
  child.once("close", (code, signal) => resolve({ code, signal }));
  return promise;
}

/** The supervisor logs each start: `gateway-0 is ready pid=12`, `Redis is up pid=13`, `Redis runs again pid=14`. */
function pidIn(text: string, name: string): number {
  const pattern =
    name === "redis"
      ? /Redis (?:is up|runs again) pid=(\d+)/g
      : new RegExp(`${name} is ready pid=(\\d+)`, "g");
  const last = [...text.matchAll(pattern)].at(-1);
  if (last === undefined) throw new Error(`${name} has not been started:\n${text}`);
  return Number(last[1]);
}

/** By parent, from /proc (Linux). */
function descendantsOf(ancestor: number): readonly number[] {
  const childrenOf = new Map<number, number[]>();
  for (const entry of readdirSync("/proc")) {
    const parent = /^\d+$/.test(entry) ? parentOf(Number(entry)) : undefined;
    if (parent !== undefined)
      childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), Number(entry)]);
  }
  const below = (pid: number): number[] =>
    (childrenOf.get(pid) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(ancestor);
}

function parentOf(pid: number): number | undefined {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return undefined;
  try {
    const stat = readFileSync(file, "latin1");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    // It ended while we looked.
    return undefined;
  }
}

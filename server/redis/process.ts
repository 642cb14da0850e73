/**
 * One private `redis-server` child on a unix socket: nothing listens on TCP, every write is on disk before it is
 * acknowledged (`appendfsync always`), nothing is ever evicted. Used by the embedded Redis and, as it is, by tests:
 * `kill("SIGKILL")` then `restart()` comes back with the same data. On Linux it ends with the thread that started it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { socketPathFor } from "./socket-path.ts";

export interface RedisProcessOptions {
  /** Folder of the append-only file; made if missing. */
  readonly dir: string;
  /** Default `redis-server`. */
  readonly program?: string;
  /** Default true: fsync before every answer. */
  readonly fsyncAlways?: boolean;
  readonly onLine?: (line: string) => void;
  /** It ended, and not by `stop`: killed, crashed, or shut down by someone. */
  readonly onExit?: (how: string) => void;
}

export interface RedisProcess {
  /** `unix:///path`, for `connectRedis`; the same after a restart. */
  readonly url: string;
  readonly path: string;
  readonly pid: number;
  readonly alive: boolean;
  /** Sends a signal and, if it is one that ends the process, waits for the end. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same data after its end; resolves when it answers. */
  restart(): Promise<void>;
  /** Clean shutdown: everything on disk, no child left. */
  stop(): Promise<void>;
}

/** Loading a large append-only file takes long; nothing is wrong while the process lives. */
const maxLoadMs = 300_000;
const maxShutdownMs = 20_000;
const pauses = new Set<NodeJS.Signals>(["SIGSTOP", "SIGCONT"]);

/** Resolves when it answers and has its data loaded. */
export async function startRedisProcess(options: RedisProcessOptions): Promise<RedisProcess> {
  const dir = resolve(options.dir);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const path = socketPathFor(dir);
  let child: ChildProcess;
  let ended: Promise<void>;
  let stopping = false;

  const begin = async (): Promise<void> => {
    if (stopping) throw new Error("redis-server is being stopped");
    rmSync(path, { force: true });
    const lastLines: string[] = [];
    child = launch(dir, path, options);
    const started = child;
    let answered = false;
    ended = follow(started, (line) => {
      lastLines.push(line);
      if (lastLines.length > 5) lastLines.shift();
      options.onLine?.(line);
    });
    const died = (): void => {
      if (answered && !stopping) options.onExit?.(howItEnded(started));
    };
    started.once("exit", died);
    await answering(started, path, lastLines);
    answered = true;
    if (hasEnded(started)) died();
  };
  const isAlive = (): boolean => !hasEnded(child);
  await begin();

  return {
    url: `unix://${path}`,
    path,
    get pid() {
      return child.pid ?? -1;
    },
    get alive() {
      return isAlive();
    },
    async kill(signal) {
      child.kill(signal);
      if (!pauses.has(signal)) await ended;
    },
    async restart() {
      await ended;
      await begin();
    },
    async stop() {
      stopping = true;
      if (isAlive()) child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), maxShutdownMs);
      await ended;
      clearTimeout(timer);
      rmSync(path, { force: true });
    },
  };
}

const setpriv = "/usr/bin/setpriv";

function launch(dir: string, path: string, options: RedisProcessOptions): ChildProcess {
  const program = options.program ?? "redis-server";
  const settings: Readonly<Record<string, string>> = {
    port: "0",
    unixsocket: path,
    unixsocketperm: "700",
    dir,
    pidfile: join(dir, "redis.pid"),
    appendonly: "yes",
    appendfsync: (options.fsyncAlways ?? true) ? "always" : "everysec",
    save: "",
    "maxmemory-policy": "noeviction",
    daemonize: "no",
    loglevel: "notice",
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  // A SIGKILL of ours must not leave it behind: the kernel then sends it SIGTERM.
  const tied = existsSync(setpriv) ? [setpriv, "--pdeathsig", "TERM", "--"] : [];
  const [command = program, ...rest] = [...tied, program, ...args];
  // A session of its own: Ctrl-C in the terminal must reach it last, through `stop`.
  return spawn(command, rest, { cwd: dir, detached: true, stdio: ["ignore", "pipe", "pipe"] });
}

/** Hands on its output line by line; resolves when it has ended. */
function follow(child: ChildProcess, onLine: (line: string) => void): Promise<void> {
  let rest = "";
  const take = (chunk: Buffer): void => {
    const lines = (rest + chunk.toString("utf8")).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") onLine(line.trim());
  };
  child.stdout?.on("data", take);
  child.stderr?.on("data", take);
  const { promise, resolve: finish } = Promise.withResolvers<void>();
  child.once("exit", () => finish());
  child.once("error", (error) => {
    onLine(error.message);
    finish();
  });
  return promise;
}

const hasEnded = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null;

const howItEnded = (child: ChildProcess): string =>
  child.signalCode ?? `exit code ${child.exitCode}`;

/** @throws when it ends before it answers, with its own last words */
async function answering(
  child: ChildProcess,
  path: string,
  lastLines: readonly string[],
): Promise<void> {
  const giveUpAtMs = performance.now() + maxLoadMs;
  while (performance.now() < giveUpAtMs) {
    if (child.pid === undefined || hasEnded(child)) break;
    if (await answers(path)) return;
    await sleep(10);
  }
  child.kill("SIGKILL");
  throw new Error(`redis-server did not start (${howItEnded(child)}): ${lastLines.join(" | ")}`);
}

/** Whether a Redis on this socket has its data loaded and answers. */
function answers(path: string): Promise<boolean> {
  const { promise, resolve: settle } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  const done = (value: boolean): void => {
    socket.destroy();
    settle(value);
  };
  socket.setTimeout(1000, () => done(false));
  socket.once("error", () => done(false));
  socket.once("connect", () => socket.write("PING\r\n"));
  socket.once("data", (answer) => done(answer.toString("latin1").startsWith("+PONG")));
  return promise;
}

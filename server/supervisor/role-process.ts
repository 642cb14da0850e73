/**
 * One role as a child process: started, started again with backoff whenever it dies, ended by SIGTERM and, past its
 * deadline, by SIGKILL. A child that was never ready is given up
 * after five tries, or at once when it refuses (exit code 78: another try would end alike).
 */
import { type ChildProcess, fork } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { createBackoff } from "../backoff.ts";
import type { Logger } from "../log.ts";
import { REFUSED_EXIT_CODE, type Role, isReadyMessage } from "../role.ts";

export interface RoleProcessOptions {
  /** In the log: `gateway-0`. */
  readonly name: string;
  readonly role: Role;
  readonly main: string;
  /** @param restarts 0 at the first start */
  readonly environment: (restarts: number) => Record<string, string>;
  readonly log: Logger;
  /** It will not run, ever: the reason has been printed. */
  readonly onGivenUp: (name: string) => void;
}

export interface RoleProcess {
  readonly name: string;
  /** Of the process running now. */
  readonly pid: number | undefined;
  /** Resolves at the first readiness; stays pending when given up or stopped before. */
  readonly ready: Promise<void>;
  stop(maxMs: number): Promise<void>;
  kill(): void;
}

const maxUnreadyDeaths = 5;

/** A gateway's memory is mostly V8's young generation: 4.6 kB per viewer by default, under 2 kB with a small one (measured). */
export const EXEC_ARGS: Readonly<Record<Role, readonly string[]>> = {
  control: [],
  media: [],
  gateway: ["--max-semi-space-size=8"],
};

export function startRoleProcess(options: RoleProcessOptions): RoleProcess {
  const { name, log } = options;
  const backoff = createBackoff();
  const ready = Promise.withResolvers<void>();
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  let everReady = false;

  const runOnce = async (restarts: number): Promise<number | null> => {
    backoff.started();
    const startedAtMs = performance.now();
    // Detached: Ctrl-C reaches every process of the terminal's group at once, ours stop in order.
    const now = fork(options.main, [options.role], {
      env: options.environment(restarts),
      execArgv: [...process.execArgv, ...EXEC_ARGS[options.role]],
      detached: true,
    });
    child = now;
    now.on("message", (message) => {
      if (!isReadyMessage(message)) return;
      everReady = true;
      log.info(
        { pid: now.pid, tookMs: Math.round(performance.now() - startedAtMs) },
        `${name} is ready`,
      );
      ready.resolve();
    });
    const { promise, resolve } = Promise.withResolvers<number | null>();
    now.once("exit", resolve);
    now.once("error", (error) => {
      log.error({ err: error }, `${name} cannot be started`);
      resolve(1);
    });
    return promise;
  };

  const run = async (): Promise<void> => {
    for (let restarts = 0; ; restarts += 1) {
      const code = await runOnce(restarts);
      if (stopping.signal.aborted) return;
      const how = code === null ? (child?.signalCode ?? "a signal") : `exit code ${code}`;
      if (!everReady && (code === REFUSED_EXIT_CODE || restarts + 1 >= maxUnreadyDeaths)) {
        log.error({ how }, `${name} does not start`);
        options.onGivenUp(name);
        return;
      }
      const restartInMs = backoff.delayMs();
      log.error({ how, restartInMs }, `${name} died`);
      try {
        await sleep(restartInMs, undefined, { signal: stopping.signal });
      } catch (error) {
        if (stopping.signal.aborted) return;
        throw error;
      }
    }
  };
  const ended = run();

  return {
    name,
    ready: ready.promise,
    get pid() {
      return child?.pid;
    },
    async stop(maxMs) {
      stopping.abort();
      child?.kill("SIGTERM");
      const timer = setTimeout(() => {
        log.error({ maxMs }, `${name} did not stop in time and is killed`);
        child?.kill("SIGKILL");
      }, maxMs);
      await ended;
      clearTimeout(timer);
    },
    kill() {
      stopping.abort();
      child?.kill("SIGKILL");
    },
  };
}

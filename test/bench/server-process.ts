/**
 * A server under test in a process of its own, on the server's core: started, told what to do by messages (one answer each),
 * and ended with the bench.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { pinPrefix, SERVER_CORES } from "./machine.ts";

export interface ServerProcess {
  readonly pid: number;
  readonly port: number;
  /** Sends an order and waits for its answer. */
  tell(order: ServerOrder): Promise<void>;
  readonly stop: () => Promise<void>;
}

export type ServerOrder =
  /** What to publish from now on, as base64. */
  | { readonly bytes: string }
  /** One publish to everybody. */
  | "publish"
  /** Collects garbage, so that resident memory is what is in use. */
  | "tidy";

export interface ServerReady {
  readonly ready: true;
  readonly port: number;
}

/**
 * @param file beside this one
 * @param env on top of this process's own
 * @param execArgs of Node
 */
export async function startServer(
  file: string,
  env: Readonly<Record<string, string>> = {},
  execArgs: readonly string[] = [],
): Promise<ServerProcess> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const node = [process.execPath, "--expose-gc", ...execArgs, path];
  const [program, ...args] = [...pinPrefix(SERVER_CORES), ...node];
  const child = spawn(program as string, args, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...process.env, ...env },
  });
  const failed = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) =>
      reject(new Error(`${file} ended (${signal ?? `exit code ${code}`})`)),
    );
  });
  // Only of interest to whom waits for an answer.
  failed.catch(() => undefined);
  const [ready] = (await Promise.race([once(child, "message"), failed])) as [ServerReady];
  return {
    pid: child.pid ?? -1,
    port: ready.port,
    async tell(order) {
      child.send(order);
      await Promise.race([once(child, "message"), failed]);
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.disconnect();
      const enough = setTimeout(() => child.kill("SIGKILL"), 5000);
      await ended;
      clearTimeout(enough);
    },
  };
}

/** The child's side: says that it listens, obeys orders, and ends with its parent. */
export function serve(port: number, publish: (bytes: Uint8Array) => void, end: () => void): void {
  let bytes = new Uint8Array();
  process.on("message", (message) => {
    const order = message as ServerOrder;
    if (order === "publish") publish(bytes);
    else if (order === "tidy") (globalThis as { gc?: () => void }).gc?.();
    else bytes = new Uint8Array(Buffer.from(order.bytes, "base64"));
    process.send?.("done");
  });
  process.on("disconnect", end);
  const ready: ServerReady = { ready: true, port };
  process.send?.(ready);
}

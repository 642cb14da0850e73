/** Centrifugo as a control row, built from its Go module: published to through its server API, heard over its JSON protocol. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../load/free-port.ts";
import { findProgram, type GoProgram } from "../../load/go-program.ts";
import { pinPrefix, SERVER_CORES } from "./machine.ts";
import type { ServerProcess } from "./server-process.ts";

/** The newest one that mirrors of the Go proxy are known to carry. */
export const CENTRIFUGO: GoProgram = {
  name: "centrifugo",
  module: "github.com/centrifugal/centrifugo/v5",
  version: "v5.4.9",
  leastGo: "1.23",
  site: "https://centrifugal.dev",
  accepts: () => true,
};

const READY_WITHIN_MS = 10_000;

/** @throws NoProgram */
export async function startCentrifugo(say: (text: string) => void): Promise<ServerProcess> {
  const file = await findProgram(CENTRIFUGO, say);
  const port = await freePort();
  const options = ["--address", "127.0.0.1", "--port", String(port), "--log_level", "error"];
  const [program, ...args] = [...pinPrefix(SERVER_CORES), file, ...options];
  const child = spawn(program as string, [...args, "--client_insecure", "--api_insecure"], {
    stdio: ["ignore", "ignore", "inherit"],
    cwd: "/",
    env: { ...process.env, CENTRIFUGO_USAGE_STATS_DISABLE: "true" },
  });
  // It does not end with its parent by itself.
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  await answers(port);
  let data = '""';
  return {
    // taskset becomes the program, so this is its own process.
    pid: child.pid ?? -1,
    port,
    async tell(order) {
      if (order === "publish") await publish(port, data);
      else if (order !== "tidy") data = JSON.stringify("x".repeat(lengthOf(order.bytes) - 2));
    },
    async stop() {
      process.off("exit", kill);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      kill();
      await ended;
    },
  };
}

const lengthOf = (base64: string): number => Buffer.from(base64, "base64").length;

async function publish(port: number, data: string): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/publish`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: `{"channel":"all","data":${data}}`,
  });
  const said = await answer.text();
  if (!answer.ok || said.includes('"error"'))
    throw new Error(`Centrifugo did not publish: ${said}`);
}

async function answers(port: number): Promise<void> {
  const giveUpMs = performance.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      return await publish(port, '""');
    } catch (cause) {
      if (performance.now() > giveUpMs) throw new Error("Centrifugo did not start", { cause });
      await sleep(50);
    }
  }
}

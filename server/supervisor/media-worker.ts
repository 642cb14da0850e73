/** Whether mediasoup has a worker program that runs here. mediasoup itself finds it in the same two places. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { projectDir } from "../config.ts";
import { Refusal } from "../refusal.ts";

/** What a worker exits with that nobody talks to: mediasoup's own check of its downloads. */
const STARTED_BY_HAND = 41;

/**
 * @returns its path
 * @throws Refusal with the remedy
 */
export function checkMediaWorker(named: string | undefined): string {
  const program =
    named ?? join(projectDir, "node_modules/mediasoup/worker/out/Release/mediasoup-worker");
  const { status } = spawnSync(program, { env: {}, stdio: "ignore", timeout: 5000 });
  if (status === STARTED_BY_HAND) return program;
  const remedy =
    named === undefined
      ? "run node media/worker/ensure-worker.mjs, name one with MEDIASOUP_WORKER_BIN, or set MEDIA_WORKERS=0 to go without video"
      : "correct or unset MEDIASOUP_WORKER_BIN";
  throw new Refusal(
    `the media worker ${program} ${status === null ? "is missing" : "does not run"}: ${remedy}`,
  );
}

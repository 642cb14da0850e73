/** Whether our ports are free, or taken by the Dropcast that runs here. */
import type { Config } from "../config.ts";
import { Refusal } from "../refusal.ts";
import { holderOf } from "../supervisor/folder-lock.ts";
import { claimPorts } from "../supervisor/ports.ts";
import type { Finding } from "./finding.ts";

export async function checkPorts(config: Config): Promise<readonly Finding[]> {
  const holder = holderOf(config.dataDir);
  if (holder !== undefined)
    return [{ verdict: "fine", what: `Dropcast is running (process ${holder})` }];
  try {
    const { port, rtPort, rtcPort } = await claimPorts(config);
    const last = rtcPort + Math.max(0, config.mediaWorkers - 1);
    return [{ verdict: "fine", what: `ports ${port}, ${rtPort} and ${rtcPort}…${last} are free` }];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.problems.map((what) => ({ verdict: "broken", what }));
  }
}

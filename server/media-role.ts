/** The media process: gives `media/`, which knows nothing of the server, what it needs of it. */
import { PortTaken, startMedia } from "../media/index.ts";
import { Refusal } from "./refusal.ts";
import { connectRedis } from "./redis/connect.ts";
import type { RoleContext } from "./role.ts";

/** The show that has a recorded host when nobody is on air. */
const DEMO_SHOW = "demo";
const maxStopMs = 5000;

export async function startMediaRole({ config, log, running }: RoleContext): Promise<void> {
  try {
    const media = await startMedia({
      redis: () => connectRedis(config.redisUrl, "command"),
      node: config.nodeId,
      rtcPort: config.rtcPort,
      announcedAddress: config.rtcAnnouncedAddress,
      workers: config.mediaWorkers,
      demoShow: config.demo ? DEMO_SHOW : undefined,
      log,
      // A worker that cannot be replaced: the supervisor starts this process anew.
      onFailed: () => process.exit(1),
    });
    running.add({ name: "media", maxStopMs, stop: () => media.stop() });
  } catch (error) {
    if (error instanceof PortTaken) throw new Refusal(error.message);
    throw error;
  }
}

/** Run by a test as its own process: starts media with the demo show on air, stops it, and then has nothing left to wait for. */
import { Redis } from "ioredis";
import type { MediaLease } from "#wire";
import { startMedia } from "../../media/index.ts";
import { SILENT } from "./world.ts";

const [redisPort, rtcPort] = process.argv.slice(2).map(Number);
if (redisPort === undefined || rtcPort === undefined) throw new Error("ports, please");
const media = await startMedia({
  redis: () => new Redis(redisPort),
  node: "once",
  rtcPort,
  workers: 2,
  demoShow: "demo",
  log: SILENT,
});
await new Promise((resolve) => setTimeout(resolve, 300));
const redis = new Redis(redisPort);
const lease = JSON.parse((await redis.hget("dropcast:media", "once")) ?? "{}") as MediaLease;
redis.disconnect();
await Promise.all([media.stop(), media.stop()]);
console.log(JSON.stringify(lease.workers.map(({ pid }) => pid)));

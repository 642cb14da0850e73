/**
 * Gateways that share a port get each other's POSTs: this hands the frames in them to the gateway that has the connection, over Redis
 * pub/sub. Only the way up of the few viewers without WebSockets passes here.
 */
import type { Redis } from "ioredis";
import { isCluster } from "../redis/place.ts";
import { nodeOfConnection } from "./sse.ts";

const channelOf = (node: string): string => `dropcast:posts:${node}`;

export interface HandOnPorts {
  readonly redis: Redis;
  readonly subscriber: Redis;
  readonly node: string;
  /** Frames for a connection of this gateway. */
  readonly take: (connection: string, body: string) => unknown;
}

/** @returns hands frames to another gateway: false when it is not there @throws when Redis did not answer */
export async function startHandOn({
  redis,
  subscriber,
  node,
  take,
}: HandOnPorts): Promise<(connection: string, body: string) => Promise<boolean>> {
  const own = channelOf(node);
  subscriber.on("message", (channel, text: string) => {
    if (channel !== own) return;
    const end = text.indexOf("\n");
    take(text.slice(0, end), text.slice(end + 1));
  });
  await subscriber.subscribe(own);
  return async (connection, body) => {
    const channel = channelOf(nodeOfConnection(connection));
    const heard = await redis.publish(channel, `${connection}\n${body}`);
    // One server of a Cluster knows only who listens at itself.
    return heard > 0 || isCluster(redis);
  };
}

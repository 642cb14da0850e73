/**
 * The wire between gateways and this media process: asks in, answers and notices out, over Redis pub/sub as JSON.
 * Two connections, since one that subscribes can do nothing else. Both survive Redis going away; what is published
 * meanwhile is lost and counted, and clients ask again.
 */
import type { Redis } from "ioredis";
import * as z from "zod";
import { type MediaAsk, mediaAskChannel, type MediaTell, mediaTellChannel } from "#wire";
import { SIGNALS } from "../client-sdk/protocol/up.ts";
import type { Log } from "./log.ts";

const ASK = z.object({
  from: z.string().min(1).max(200),
  ref: z.int().min(0),
  show: z.string().min(1).max(40),
  session: z.string().min(1).max(200),
  role: z.enum(["viewer", "moderator", "host", "operator"]),
  name: z.enum([...SIGNALS, "left"]),
  body: z.string().max(64 * 1024),
}) satisfies z.ZodType<MediaAsk>;

export interface Link {
  /** For commands of the other parts. */
  readonly commands: Redis;
  tell(gateway: string, tell: MediaTell): void;
  /** No more asks; what is being answered may still go out. */
  deafen(): Promise<void>;
  stop(): void;
}

export interface LinkOptions {
  readonly redis: () => Redis;
  readonly node: string;
  readonly onAsk: (ask: MediaAsk) => void;
  readonly log: Log;
}

const READY_MS = 10_000;

/** Resolves once commands may be sent, whatever options the connection was made with. */
const ready = async (redis: Redis): Promise<void> => {
  if (redis.status === "ready") return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => reject(new Error(`Redis not ready within ${READY_MS} ms`)),
    READY_MS,
  );
  redis.once("ready", resolve);
  redis.once("end", () => reject(new Error("the Redis connection ended")));
  if (redis.status === "wait") redis.connect().catch(reject);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
};

/** @throws when Redis cannot be reached at start */
export async function openLink({ redis, node, onAsk, log }: LinkOptions): Promise<Link> {
  const asks = redis();
  const commands = redis();
  let stopped = false;
  let lost = 0;
  for (const [name, connection] of Object.entries({ asks, commands })) {
    // ioredis repeats the same error with every attempt: say it when it starts, and when it is over.
    let down = false;
    connection.on("error", (error: Error) => {
      if (!down && !stopped) log.warn({ name, reason: error.message }, "media lost Redis");
      down = true;
    });
    connection.on("ready", () => {
      if (down) log.info({ name, lost }, "media has Redis again");
      down = false;
    });
  }
  const stop = (): void => {
    stopped = true;
    asks.disconnect();
    commands.disconnect();
  };
  asks.on("message", (_channel: string, json: string) => {
    const ask = readAsk(json);
    if (ask === undefined) log.warn({ bytes: json.length }, "media ask that is none");
    else onAsk(ask);
  });
  const channel = mediaAskChannel(node);
  try {
    await Promise.all([ready(asks), ready(commands)]);
    await asks.subscribe(channel);
  } catch (error) {
    stop();
    throw error;
  }
  return {
    commands,
    tell(gateway, tell) {
      if (stopped) return;
      commands.publish(mediaTellChannel(gateway), JSON.stringify(tell)).catch(() => lost++);
    },
    async deafen() {
      if (asks.status === "ready")
        await asks
          .unsubscribe(channel)
          .catch((error: unknown) =>
            log.warn({ reason: String(error) }, "media could not unsubscribe"),
          );
    },
    stop,
  };
}

const readAsk = (json: string): MediaAsk | undefined => {
  try {
    return ASK.safeParse(JSON.parse(json)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
};

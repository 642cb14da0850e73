/**
 * A world for the media tests: a real Redis on a free port, a media plane on a free RTC port, and the gateway's part of
 * the wire, so that a test sends signals as a gateway would.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { Redis } from "ioredis";
import {
  type MediaAsk,
  mediaAskChannel,
  type MediaTell,
  mediaTellChannel,
  type SignalName,
} from "#wire";
import { type Media, type MediaOptions, startMedia } from "../../media/index.ts";

export const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
};

export interface RedisWorld {
  readonly connect: () => Redis;
  stop(): Promise<void>;
}

export async function startRedis(): Promise<RedisWorld> {
  const port = await freePort();
  const server: ChildProcess = spawn(
    "redis-server",
    ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
    { stdio: "ignore" },
  );
  const made: Redis[] = [];
  const connect = (): Redis => {
    const redis = new Redis({ port, host: "127.0.0.1", retryStrategy: () => 50 });
    redis.on("error", () => undefined);
    made.push(redis);
    return redis;
  };
  await connect().ping();
  return {
    connect,
    async stop() {
      for (const redis of made) redis.disconnect();
      const gone = new Promise((resolve) => server.once("exit", resolve));
      server.kill();
      await gone;
    },
  };
}

class Refused extends Error {
  override readonly name = "Refused";
  readonly code: string;
  constructor(code: string, why: string) {
    super(`${code}: ${why}`);
    this.code = code;
  }
}

/** A lost answer (a test cut the connection) is soon asked for again. */
const ANSWER_MS = 3000;

/** One session's signals, and what it is told. */
export interface TestSession {
  signal(name: SignalName, body: object | string): Promise<unknown>;
  onNotify(listener: (body: unknown) => void): void;
  left(): void;
}

export interface TestGateway {
  session(show: string, session: string, role?: MediaAsk["role"]): TestSession;
  readonly raw: Redis;
}

/** The gateway's side of the wire to media process `node`. */
export async function openGateway(
  redis: RedisWorld,
  node: string,
  name = "gw1",
): Promise<TestGateway> {
  const [hears, says] = [redis.connect(), redis.connect()];
  const answers = new Map<
    number,
    { resolve: (body: unknown) => void; reject: (error: Error) => void }
  >();
  const listeners = new Set<{ show: string; session: string; listener: (body: unknown) => void }>();
  let ref = 0;
  hears.on("message", (_channel: string, json: string) => {
    const tell = JSON.parse(json) as MediaTell;
    if (tell.kind === "notify") {
      for (const one of listeners)
        if (one.show === tell.show && (tell.session === "*" || tell.session === one.session))
          one.listener(JSON.parse(tell.body));
    } else if (tell.kind === "answer") answers.get(tell.ref)?.resolve(JSON.parse(tell.body));
    else answers.get(tell.ref)?.reject(new Refused(tell.code, tell.why));
  });
  await hears.subscribe(mediaTellChannel(name));
  return {
    raw: says,
    session(show, session, role = "viewer") {
      const ask = (part: Pick<MediaAsk, "name" | "body" | "ref">): Promise<number> =>
        says.publish(
          mediaAskChannel(node),
          JSON.stringify({ from: name, show, session, role, ...part } satisfies MediaAsk),
        );
      return {
        async signal(signal, body) {
          const mine = ++ref;
          const answer = new Promise<unknown>((resolve, reject) =>
            answers.set(mine, { resolve, reject }),
          );
          const timer = setTimeout(
            () => answers.get(mine)?.reject(new Refused("timeout", `${signal}: no answer`)),
            ANSWER_MS,
          );
          await ask({
            ref: mine,
            name: signal,
            body: typeof body === "string" ? body : JSON.stringify(body),
          });
          return answer.finally(() => (clearTimeout(timer), answers.delete(mine)));
        },
        onNotify: (listener) => void listeners.add({ show, session, listener }),
        left: () => void ask({ ref: 0, name: "left", body: "" }),
      };
    },
  };
}

export const startTestMedia = async (
  redis: RedisWorld,
  more: Partial<MediaOptions> = {},
): Promise<Media & { rtcPort: number }> => {
  const rtcPort = more.rtcPort ?? (await freePort());
  const media = await startMedia({
    redis: redis.connect,
    node: "m1",
    rtcPort,
    workers: 1,
    log: SILENT,
    ...more,
  });
  return { ...media, rtcPort };
};

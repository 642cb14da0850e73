/** A gateway in a process of its own, for tests that kill it. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { freePort, type Gateway, SECRET, type World } from "./rooms.ts";

export interface Killable extends Gateway {
  /** SIGKILL, now. */
  kill(): void;
}

export async function startKillable(world: World): Promise<Killable> {
  const [port, node] = [await freePort(), `killable-${process.pid}-${Math.random()}`];
  const child = fork(new URL("gateway-process.ts", import.meta.url), {
    env: {
      ...process.env,
      REDIS_URL: world.redis.url,
      TOKEN_SECRET: SECRET,
      HOST: "127.0.0.1",
      RT_PORT: String(port),
      NODE_ID: node,
      LOG_LEVEL: "error",
      DATA_DIR: world.redis.dir,
    },
  });
  const ended = once(child, "exit");
  await Promise.race([once(child, "message"), ended]);
  const kill = (): void => void child.kill("SIGKILL");
  return {
    url: `ws://127.0.0.1:${port}`,
    node,
    tokens: world.tokens,
    kill,
    async stop() {
      kill();
      await ended;
    },
  };
}

/**
 * A network between a server and those who talk to it, that a test can break: a real TCP relay in a process of its own. What Linux
 * does with lost packets is what happens here: bytes of a black hole are not gone, they arrive when it ends.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface WireOrder {
  readonly id: number;
  readonly what: "blackHole" | "cut" | "heal" | "delay" | "loseReply";
  readonly ms?: number;
  readonly text?: string;
}

export interface WireNews {
  readonly port?: number;
  readonly done?: number;
  readonly lostReplyTo?: number;
}

export interface Wire {
  readonly port: number;
  readonly address: string;
  /** Connections stay open and new ones are accepted, but nothing arrives on either side, until `heal`. */
  blackHole(): Promise<void>;
  /** Every connection is reset, new ones end at once, until `heal`. */
  cut(): Promise<void>;
  /** Every chunk of bytes takes this much longer. */
  delay(ms: number): Promise<void>;
  heal(): Promise<void>;
  /**
   * The next request that contains the text is carried out by the server, and its reply is lost with the connection.
   * Resolves when the wire is ready for it. @returns resolves when it has happened
   */
  loseReplyTo(text: string): Promise<{ readonly happened: Promise<void> }>;
  stop(): Promise<void>;
}

/** @param to port of the server on this machine */
export async function startWire(to: number): Promise<Wire> {
  const file = fileURLToPath(new URL("wire-process.ts", import.meta.url));
  const child = fork(file, [String(to)], { execArgv: [] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const listening = Promise.withResolvers<number>();
  const orders = new Map<number, () => void>();
  const losses = new Map<number, () => void>();
  let lastId = 0;
  child.on("message", (message) => {
    const { port, done, lostReplyTo } = message as WireNews;
    if (port !== undefined) listening.resolve(port);
    if (done !== undefined) orders.get(done)?.();
    if (lostReplyTo !== undefined) losses.get(lostReplyTo)?.();
  });
  child.once("exit", () => listening.reject(new Error("the wire's process ended")));
  const port = await listening.promise;

  const order = async (what: WireOrder["what"], more: Partial<WireOrder> = {}): Promise<number> => {
    const id = ++lastId;
    const { promise, resolve } = Promise.withResolvers<void>();
    orders.set(id, resolve);
    child.send({ ...more, id, what } satisfies WireOrder);
    await promise;
    orders.delete(id);
    return id;
  };
  return {
    port,
    address: `127.0.0.1:${port}`,
    blackHole: async () => void (await order("blackHole")),
    cut: async () => void (await order("cut")),
    heal: async () => void (await order("heal")),
    delay: async (ms) => void (await order("delay", { ms })),
    async loseReplyTo(text) {
      const { promise: happened, resolve } = Promise.withResolvers<void>();
      losses.set(lastId + 1, resolve);
      await order("loseReply", { text });
      return { happened };
    },
    async stop() {
      child.disconnect();
      await ended;
    },
  };
}

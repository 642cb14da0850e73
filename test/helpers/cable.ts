/** A network cable between a client and a gateway, which tests cut and freeze: real sockets on both of its ends. */
import { connect, createServer, type Socket } from "node:net";

export interface Cable {
  /** In place of the gateway's. */
  readonly url: string;
  /** Connections through it now. */
  readonly open: number;
  /** Ends every connection, both ends told. */
  cut(): void;
  /** The same once so many more bytes have come down: in the middle of a frame, as a phone loses its network. */
  cutAfter(bytes: number): void;
  /** Connections of now go half-open: nothing passes, nobody is told. Later connections are not concerned. */
  freeze(): void;
  /** The clients stop reading, and go on sending: what comes down piles up at the gateway. */
  stall(): void;
  /** From now on only so much comes down to each client: the rest waits on the way, as in a bad network. Infinity: all of it. */
  slow(bytesPerSecond: number): void;
  /** What is frozen or stalled goes on. */
  thaw(): void;
  stop(): Promise<void>;
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  /** On its way down. */
  waiting: Buffer;
}

const PUMPS_PER_SECOND = 20;

/** @param url of the gateway */
export async function layCable(url: string): Promise<Cable> {
  const { hostname, port } = new URL(url);
  const pairs = new Set<Pair>();
  let bytesLeft = Infinity;
  let pump: ReturnType<typeof setInterval> | undefined;
  const letDown = (bytes: number): void => {
    for (const pair of pairs) {
      pair.near.write(pair.waiting.subarray(0, bytes));
      pair.waiting = pair.waiting.subarray(bytes);
    }
  };
  const cut = (): void => {
    bytesLeft = Infinity;
    for (const { near, far } of pairs) {
      near.destroy();
      far.destroy();
    }
  };
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    const pair: Pair = { near, far, waiting: Buffer.alloc(0) };
    pairs.add(pair);
    near.setNoDelay(true);
    far.setNoDelay(true);
    near.on("data", (bytes) => far.write(bytes));
    far.on("data", (bytes: Buffer) => {
      const passed = bytes.subarray(0, bytesLeft);
      if (pump === undefined) near.write(passed);
      else pair.waiting = Buffer.concat([pair.waiting, passed]);
      bytesLeft -= bytes.length;
      if (bytesLeft <= 0) setImmediate(cut);
    });
    const end = (): void => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      socket.on("close", end);
      // Its close follows, and says all there is to say.
      socket.on("error", () => undefined);
    }
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address() as { readonly port: number };
  const each = (what: "pause" | "resume"): void => {
    for (const { near, far } of pairs) {
      near[what]();
      far[what]();
    }
  };
  return {
    url: `ws://127.0.0.1:${address.port}`,
    get open() {
      return pairs.size;
    },
    cut,
    cutAfter(bytes) {
      bytesLeft = bytes;
    },
    freeze: () => each("pause"),
    stall() {
      for (const { far } of pairs) far.pause();
    },
    slow(bytesPerSecond) {
      clearInterval(pump);
      pump = undefined;
      if (bytesPerSecond === Infinity) return letDown(Infinity);
      const portion = Math.ceil(bytesPerSecond / PUMPS_PER_SECOND);
      pump = setInterval(() => letDown(portion), 1000 / PUMPS_PER_SECOND);
    },
    thaw: () => each("resume"),
    async stop() {
      clearInterval(pump);
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

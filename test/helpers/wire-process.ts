/** The process of one `Wire` (wire.ts): carries bytes between its port and a server's, and does to them what it is told to. */
import { createServer, createConnection, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import type { WireOrder, WireNews } from "./wire.ts";

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

const port = Number(process.argv[2]);
const pairs = new Set<Pair>();
/** Requests whose replies get lost, each once. */
const armed: { readonly id: number; readonly bytes: Buffer }[] = [];
let state: "open" | "blackHole" | "cut" = "open";
let delayMs = 0;

const tell = (news: WireNews): void => void process.send?.(news);

function carry(client: Socket): void {
  if (state === "cut") {
    client.destroy();
    return;
  }
  const server = createConnection({ host: "127.0.0.1", port, noDelay: true });
  const pair = { client, server };
  pairs.add(pair);
  const end = (): void => {
    pairs.delete(pair);
    client.destroy();
    server.destroy();
  };
  let before: Buffer = Buffer.alloc(0);
  let isReplyLost = false;
  client.on("data", (chunk: Buffer) => {
    const seen = Buffer.concat([before, chunk]);
    const found = armed.findIndex(({ bytes }) => seen.includes(bytes));
    before = seen.subarray(Math.max(0, seen.length - 256));
    send(server, chunk);
    const [lost] = found < 0 ? [] : armed.splice(found, 1);
    if (lost === undefined) return;
    // The server has read the request before it reads the end, so it carries it out; then it closes.
    isReplyLost = true;
    server.end();
    server.once("close", () => tell({ lostReplyTo: lost.id }));
  });
  server.on("data", (chunk: Buffer) => {
    if (!isReplyLost) send(client, chunk);
  });
  client.on("error", end).on("close", end).on("end", end);
  server.on("error", end).on("close", end);
  if (state === "blackHole") hush(pair);
}

function send(to: Socket, chunk: Buffer): void {
  if (delayMs === 0) to.write(chunk);
  else setTimeout(() => to.write(chunk), delayMs);
}

const hush = ({ client, server }: Pair): void => {
  client.pause();
  server.pause();
};

const act: { readonly [W in WireOrder["what"]]: (order: WireOrder) => void } = {
  blackHole() {
    state = "blackHole";
    pairs.forEach(hush);
  },
  cut() {
    state = "cut";
    for (const { client, server } of pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
  },
  heal() {
    state = "open";
    delayMs = 0;
    for (const { client, server } of pairs) {
      client.resume();
      server.resume();
    }
  },
  delay({ ms = 0 }) {
    delayMs = ms;
  },
  loseReply({ id, text = "" }) {
    armed.push({ id, bytes: Buffer.from(text) });
  },
};

process.on("message", (message) => {
  const order = message as WireOrder;
  act[order.what](order);
  tell({ done: order.id });
});
process.on("disconnect", () => process.exit(0));

const listening = createServer({ noDelay: true }, carry);
listening.listen(0, "127.0.0.1", () => tell({ port: (listening.address() as AddressInfo).port }));

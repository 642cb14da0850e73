/** Dropcast and Socket.IO, each as two nodes on a Redis of its own with its own client, for the comparison in `recovery.ts`. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connect } from "#sdk";
import { io } from "socket.io-client";
import type { Owns } from "./bench.ts";
import type { Client, MessagingSystem } from "./recovery.ts";
import type { Emit } from "./socketio-recovery-server.ts";
import { openShow, startGatewayOn, startStore, viewerToken } from "./world.ts";

const JOINED_WITHIN_MS = 15_000;
/** For a node to have told its Redis who is in. */
const SETTLE_MS = 300;

export async function startDropcast(owns: Owns): Promise<MessagingSystem> {
  const store = await startStore();
  owns(store.stop);
  const [first, second] = [await startGatewayOn(store), await startGatewayOn(store)];
  owns(first.stop);
  owns(second.stop);
  const shows = new Map<string, Promise<void>>();
  const opened = (show: string): Promise<void> => {
    const opening = shows.get(show) ?? openShow(store, show);
    shows.set(show, opening);
    return opening;
  };
  return {
    name: "Dropcast",
    ports: [first.port, second.port],
    async connect(port, show) {
      await opened(show);
      const url = `ws://127.0.0.1:${port}`;
      const live = await connect({ url, show, token: await viewerToken(show)(1) });
      const received: string[] = [];
      const recovered: boolean[] = [];
      live.on("productChanged", ({ sku }) => received.push(sku));
      live.on("connectionChanged", ({ connection, resumed }) => {
        if (connection === "live") recovered.push(resumed === "caughtUp");
      });
      return {
        received,
        recovered,
        get isIn() {
          return live.state.connection === "live";
        },
        close: async () => live.close(),
      };
    },
    async send(show, events) {
      await opened(show);
      await Promise.all(
        events.map((sku) =>
          store.shows.putProduct(show, {
            sku,
            title: sku,
            priceCents: 9900,
            stock: 1,
            imageUrl: "",
            category: "",
          }),
        ),
      );
    },
    killFirst: () => void process.kill(first.pid, "SIGKILL"),
  };
}

export async function startSocketIo(owns: Owns): Promise<MessagingSystem> {
  const store = await startStore();
  owns(store.stop);
  const [first, second] = [
    await startNode(store.process.url, owns),
    await startNode(store.process.url, owns),
  ];
  return {
    name: "Socket.IO",
    ports: [first.port, second.port],
    connect: connectSocketIo,
    async send(room, events) {
      const emit: Emit = { room, events };
      second.child.send(emit);
      await once(second.child, "message");
    },
    killFirst: () => void first.child.kill("SIGKILL"),
  };
}

async function startNode(redisUrl: string, owns: Owns) {
  const file = fileURLToPath(new URL("socketio-recovery-server.ts", import.meta.url));
  const child = fork(file, { execArgv: [], env: { ...process.env, REDIS_URL: redisUrl } });
  owns(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.disconnect();
    await ended;
  });
  const [ready] = (await once(child, "message")) as [{ readonly port: number }];
  return { child, port: ready.port };
}

async function connectSocketIo(port: number, room: string): Promise<Client> {
  const socket = io(`http://127.0.0.1:${port}`, {
    transports: ["websocket"],
    query: { room },
    forceNew: true,
    // As soon as Dropcast's client would.
    reconnectionDelay: 150,
    reconnectionDelayMax: 20_000,
  });
  const received: string[] = [];
  const recovered: boolean[] = [];
  socket.on("event", (event: string) => received.push(event));
  const joined = Promise.withResolvers<void>();
  const giveUp = setTimeout(
    () => joined.reject(new Error("Socket.IO did not let its client in")),
    JOINED_WITHIN_MS,
  );
  socket.once("connect", () => {
    joined.resolve();
    socket.on("connect", () => recovered.push(socket.recovered));
  });
  await joined.promise;
  clearTimeout(giveUp);
  await sleep(SETTLE_MS);
  return {
    received,
    recovered,
    get isIn() {
      return socket.connected;
    },
    close: async () => void socket.close(),
  };
}

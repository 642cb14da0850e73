/** A network that blocks WebSockets: passes on TCP connections, but answers every upgrade with 403 and ends it. */
import { connect, createServer, type Socket } from "node:net";

export interface BlockingProxy {
  readonly port: number;
  /** Upgrades that were refused so far. */
  readonly refused: number;
  /** Ends every connection through it, as a network does that goes away for a moment. */
  cut(): void;
  stop(): Promise<void>;
}

export async function startBlockingProxy(targetPort: number): Promise<BlockingProxy> {
  const open = new Set<Socket>();
  let refused = 0;
  const keep = (socket: Socket): Socket => {
    open.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => open.delete(socket));
    return socket;
  };
  const server = createServer((client) => {
    keep(client).once("data", (first: Buffer) => {
      if (/^upgrade: *websocket/im.test(first.toString("latin1"))) {
        refused++;
        client.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        return;
      }
      const target = keep(connect(targetPort, "127.0.0.1"));
      target.write(first);
      client.pipe(target).pipe(client);
      client.once("close", () => target.destroy());
      target.once("close", () => client.destroy());
    });
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: (server.address() as { port: number }).port,
    get refused() {
      return refused;
    },
    cut,
    async stop() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

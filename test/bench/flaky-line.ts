/** A TCP line between one client and a server that can be cut, mended and led to another server: what happens to a phone. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface FlakyLine {
  readonly port: number;
  /** Both ends are reset, and until `mend` nobody gets through. */
  cut(): void;
  /** Both ends are reset; whoever comes next gets through. */
  jolt(): void;
  mend(): void;
  leadTo(port: number): void;
  close(): Promise<void>;
}

export async function layLine(firstPort: number): Promise<FlakyLine> {
  let port = firstPort;
  let isCut = false;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // The other end is ended below; nothing else is to be done.
    socket.on("error", () => undefined);
  };
  const server = createServer((near) => {
    if (isCut) return void near.resetAndDestroy();
    const far = connect(port, "127.0.0.1");
    keep(near);
    keep(far);
    near.setNoDelay(true).pipe(far).setNoDelay(true).pipe(near);
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const jolt = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true;
      jolt();
    },
    jolt,
    mend() {
      isCut = false;
    },
    leadTo(next) {
      port = next;
    },
    async close() {
      server.close();
      jolt();
      await once(server, "close");
    },
  };
}

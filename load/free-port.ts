/** A TCP port that nobody listens on at this moment: for servers that a bench, a rehearsal or k6 starts for itself. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

export async function freePort(host = "127.0.0.1"): Promise<number> {
  const server = createServer();
  server.listen({ port: 0, host, exclusive: true });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

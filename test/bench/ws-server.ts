/** Child process of the benches, a control row: the `ws` package with a loop of `send`. */
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { serve } from "./server-process.ts";

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  perMessageDeflate: false,
  backlog: 4096,
});
server.on("listening", () => {
  const { port } = server.address() as AddressInfo;
  serve(
    port,
    (bytes) => {
      for (const client of server.clients) client.send(bytes, { binary: true });
    },
    () => process.exit(0),
  );
});

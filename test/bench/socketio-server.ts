/** Child process of the benches, a control row: Socket.IO on WebSocket alone, a room `emit` of text (twice as fast as of bytes). */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { serve } from "./server-process.ts";

const http = createServer();
const io = new Server(http, { transports: ["websocket"], serveClient: false });
io.on("connection", (socket) => void socket.join("all"));
let text = "";
http.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  const { port } = http.address() as AddressInfo;
  serve(
    port,
    (bytes) => {
      if (text.length !== bytes.length) text = "x".repeat(bytes.length);
      io.to("all").emit("event", text);
    },
    () => process.exit(0),
  );
});

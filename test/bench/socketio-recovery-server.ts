/**
 * Child process of the comparison: a Socket.IO node as its documents advise for several nodes and lossless reconnects, with the
 * Redis Streams adapter on the Redis of REDIS_URL and connection state recovery.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { Redis } from "ioredis";
import { Server } from "socket.io";

/** Events to a room, in order. */
export interface Emit {
  readonly room: string;
  readonly events: readonly string[];
}

const http = createServer();
const io = new Server(http, {
  adapter: createAdapter(new Redis(process.env["REDIS_URL"] ?? "")),
  connectionStateRecovery: { maxDisconnectionDuration: 2 * 60_000 },
  // As in the report of failure 3: socketio/socket.io-redis-streams-adapter#48.
  pingInterval: 10_000,
  pingTimeout: 5000,
  transports: ["websocket"],
  serveClient: false,
});
io.on("connection", (socket) => {
  const { room } = socket.handshake.query;
  // A recovered socket is in its rooms already.
  if (!socket.recovered && typeof room === "string") void socket.join(room);
});
process.on("message", (message) => {
  const { room, events } = message as Emit;
  for (const event of events) io.to(room).emit("event", event);
  process.send?.("done");
});
process.on("disconnect", () => process.exit(0));
http.listen(0, "127.0.0.1", () =>
  process.send?.({ ready: true, port: (http.address() as AddressInfo).port }),
);

/**
 * The gateway's sockets on uWebSockets.js. Shares its port with other gateway processes (SO_REUSEPORT).
 * Memory of a viewer who does not read: at most `maxBackpressureBytes` here. Before that the kernel takes up to 4 MB per socket
 * (`net.ipv4.tcp_wmem`), and the library has no way to make that less. So slowness is judged by age (room/slow.ts), and the kernel
 * is given little to keep: about 40 kB of deflated comments, 200 kB of plain ones, until a phone that fell asleep amid 200 comments a
 * second is on feed `core` (measured), then nothing but events and stock. Who wants a hard bound sets the third number of
 * `net.ipv4.tcp_wmem`.
 */
import uWS from "uWebSockets.js";
import { LIMITS, RT_PATH, SSE_PATH, SUBPROTOCOLS } from "#wire";
import type { Conversation, Socket, SocketServer } from "./socket.ts";
import { serveStreams, type StreamPorts } from "./sse.ts";

const [, JSON_TEXT, DEFLATE] = SUBPROTOCOLS;
const PREFERRED = SUBPROTOCOLS.toReversed();

/** The library copies what it is given, key by key, into an object of its own: so one key. */
interface Held {
  readonly socket: UwsSocket;
}

export interface Listening {
  readonly host: string;
  readonly port: number;
  /** The client's address, given the socket's other end and its X-Forwarded-For, "" when there is none. */
  readonly addressOf: (peer: string, forwarded: string) => string;
  readonly onOpened: (socket: Socket) => Conversation;
  readonly streams: Pick<StreamPorts, "node" | "handOn" | "nowMs">;
}

/** @throws when the port cannot be listened on */
export async function listen({
  host,
  port,
  addressOf,
  onOpened,
  streams: streamPorts,
}: Listening): Promise<SocketServer> {
  let listening: uWS.us_listen_socket | undefined;
  const app = uWS.App();

  app.ws<Held>(RT_PATH, {
    maxPayloadLength: LIMITS.maxFrameBytes,
    maxBackpressure: LIMITS.maxBackpressureBytes,
    closeOnBackpressureLimit: false,
    idleTimeout: LIMITS.maxSilenceMs / 1000,
    sendPingsAutomatically: false,
    compression: uWS.DISABLED,
    upgrade(res, req, context) {
      const offered = req
        .getHeader("sec-websocket-protocol")
        .split(",")
        .map((name) => name.trim());
      const chosen = PREFERRED.find((name) => offered.includes(name));
      if (chosen === undefined) {
        res.writeStatus("400 Bad Request").end(`Offer a subprotocol: ${SUBPROTOCOLS.join(" or ")}`);
        return;
      }
      const peer = Buffer.from(res.getRemoteAddressAsText()).toString();
      const address = addressOf(peer, req.getHeader("x-forwarded-for"));
      res.upgrade(
        { socket: new UwsSocket(chosen, address) },
        req.getHeader("sec-websocket-key"),
        chosen,
        req.getHeader("sec-websocket-extensions"),
        context,
      );
    },
    open(ws) {
      const { socket } = ws.getUserData();
      socket.ws = ws;
      socket.conversation = onOpened(socket);
    },
    message(ws, message, isBinary) {
      ws.getUserData().socket.conversation?.heard(new Uint8Array(message), !isBinary);
    },
    dropped(ws) {
      const { conversation } = ws.getUserData().socket;
      // The library forbids ending a socket from within this call.
      setImmediate(() => conversation?.lagged());
    },
    close(ws) {
      const { socket } = ws.getUserData();
      socket.ws = undefined;
      socket.conversation?.closed();
      socket.conversation = undefined;
    },
  });
  const streams = serveStreams(app, { ...streamPorts, addressOf, onOpened });
  app.any("/*", (res) => {
    res
      .writeStatus("404 Not Found")
      .end(`Dropcast speaks WebSocket here, at ${RT_PATH}, and events at ${SSE_PATH}`);
  });

  await new Promise<void>((resolve, reject) => {
    app.listen(host, port, (token) => {
      if (token === false) reject(new Error(`port ${port} on ${host} cannot be listened on`));
      else {
        listening = token;
        resolve();
      }
    });
  });
  return {
    publish(topic, frame) {
      app.publish(topic, frame, typeof frame !== "string");
      streams.publish(topic, frame);
    },
    takePosted: streams.take,
    stopListening() {
      if (listening !== undefined) uWS.us_listen_socket_close(listening);
      listening = undefined;
      streams.leave();
    },
    close() {
      streams.stop();
      app.close();
    },
  };
}

/** One object per connection and no closures: memory per idle viewer is what the gateway's size is made of. */
class UwsSocket implements Socket {
  readonly json: boolean;
  readonly inflates: boolean;
  readonly address: string;
  /** undefined before its beginning and after its end: the library throws at any use then. */
  ws: uWS.WebSocket<Held> | undefined = undefined;
  conversation: Conversation | undefined = undefined;
  constructor(subprotocol: (typeof SUBPROTOCOLS)[number], address: string) {
    this.json = subprotocol === JSON_TEXT;
    this.inflates = subprotocol === DEFLATE;
    this.address = address;
  }
  get waitingBytes(): number {
    return this.ws?.getBufferedAmount() ?? 0;
  }
  send(frame: Uint8Array | string): void {
    this.ws?.send(frame, typeof frame !== "string");
  }
  cork(work: () => void): void {
    this.ws?.cork(work);
  }
  subscribe(topic: string): void {
    this.ws?.subscribe(topic);
  }
  unsubscribe(topic: string): void {
    this.ws?.unsubscribe(topic);
  }
  end(code: number, reason: string): void {
    const { ws } = this;
    this.ws = undefined;
    ws?.end(code, reason);
  }
}

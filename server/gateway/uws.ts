/** The gateway's sockets on uWebSockets.js. Shares its port with other gateway processes (SO_REUSEPORT). */
import uWS from "uWebSockets.js";
import { LIMITS, RT_PATH, SUBPROTOCOLS } from "#wire";
import type { Conversation, Socket, SocketServer } from "./socket.ts";

interface Connection {
  readonly json: boolean;
  readonly address: string;
  /** The library throws at any use of a socket after its end. */
  open: boolean;
  conversation?: Conversation;
}

export interface Listening {
  readonly host: string;
  readonly port: number;
  readonly onOpened: (socket: Socket) => Conversation;
}

/** @throws when the port cannot be listened on */
export async function listen({ host, port, onOpened }: Listening): Promise<SocketServer> {
  let listening: uWS.us_listen_socket | undefined;
  const app = uWS.App();

  app.ws<Connection>(RT_PATH, {
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
      const chosen = SUBPROTOCOLS.find((name) => offered.includes(name));
      if (chosen === undefined) {
        res.writeStatus("400 Bad Request").end(`Offer a subprotocol: ${SUBPROTOCOLS.join(" or ")}`);
        return;
      }
      const address = Buffer.from(res.getRemoteAddressAsText()).toString();
      res.upgrade<Connection>(
        { json: chosen === SUBPROTOCOLS[1], address, open: true },
        req.getHeader("sec-websocket-key"),
        chosen,
        req.getHeader("sec-websocket-extensions"),
        context,
      );
    },
    open(ws) {
      ws.getUserData().conversation = onOpened(new UwsSocket(ws));
    },
    message(ws, message, isBinary) {
      ws.getUserData().conversation?.heard(new Uint8Array(message), !isBinary);
    },
    dropped(ws) {
      const { conversation } = ws.getUserData();
      // The library forbids ending a socket from within this call.
      setImmediate(() => conversation?.lagged());
    },
    close(ws) {
      const user = ws.getUserData();
      user.open = false;
      user.conversation?.closed();
      delete user.conversation;
    },
  });
  app.any("/*", (res) => {
    res.writeStatus("404 Not Found").end(`Dropcast speaks WebSocket here, at ${RT_PATH}`);
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
    publish: (topic, frame) => void app.publish(topic, frame, typeof frame !== "string"),
    subscribers: (topic) => app.numSubscribers(topic),
    stopListening() {
      if (listening !== undefined) uWS.us_listen_socket_close(listening);
      listening = undefined;
    },
    close: () => void app.close(),
  };
}

/** One object per connection and no closures: memory per idle viewer is what the gateway's size is made of. */
class UwsSocket implements Socket {
  readonly #ws: uWS.WebSocket<Connection>;
  readonly #user: Connection;
  constructor(ws: uWS.WebSocket<Connection>) {
    this.#ws = ws;
    this.#user = ws.getUserData();
  }
  get json(): boolean {
    return this.#user.json;
  }
  get address(): string {
    return this.#user.address;
  }
  send(frame: Uint8Array | string): void {
    if (this.#user.open) this.#ws.send(frame, typeof frame !== "string");
  }
  cork(work: () => void): void {
    if (this.#user.open) this.#ws.cork(work);
  }
  subscribe(topic: string): void {
    if (this.#user.open) this.#ws.subscribe(topic);
  }
  end(code: number, reason: string): void {
    if (!this.#user.open) return;
    this.#user.open = false;
    this.#ws.end(code, reason);
  }
}

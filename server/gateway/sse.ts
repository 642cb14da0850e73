/**
 * The way in where WebSockets are blocked: frames down as a stream of events, frames up as POSTs, the same frames as text, one a line.
 * `POST /v1/sse` opens it with hello as its body, so that no token stands in an address; its answer is the stream (the format of
 * EventSource: HTML standard, 9.2), and the first event names the connection that later POSTs go to. Gateways that share the port
 * share its connections too, so a POST may come to another one than the stream did: that one hands it on. Cost: one write per viewer
 * and frame, in JavaScript; a stalled reader holds `maxBackpressureBytes` at most.
 */
import { randomBytes } from "node:crypto";
import type { HttpResponse, TemplatedApp } from "uWebSockets.js";
import { LIMITS, RT_PATH, SSE_PATH } from "#wire";
import type { Conversation, Socket } from "./socket.ts";

export interface Streams {
  publish(topic: string, frame: Uint8Array | string): void;
  /** Frames that came to another gateway. @returns false when there is no such connection here */
  readonly take: (connection: string, body: string) => boolean;
  /** No new streams from here on. Kept-alive connections outlive the listening: each ends with its next answer, so that it is not used to come back here. */
  leave(): void;
  stop(): void;
}

export interface StreamPorts {
  readonly node: string;
  /** The client's address, given the socket's other end and its X-Forwarded-For. */
  readonly addressOf: (peer: string, forwarded: string) => string;
  readonly onOpened: (socket: Socket) => Conversation;
  /** Hands frames to the gateway that has the connection. @returns false when there is none */
  readonly handOn: (connection: string, body: string) => Promise<boolean>;
  readonly nowMs: () => number;
}

/** Several frames may travel in one POST. */
const MAX_BODY_BYTES = 2 * LIMITS.maxFrameBytes;
/** Proxies end what is silent for long. */
const LOOK_EVERY_MS = 10_000;
const STREAM_PATH = `${RT_PATH}/:connection`;

/** Connections are named `node.random`. */
export const nodeOfConnection = (connection: string): string =>
  connection.slice(0, connection.lastIndexOf("."));

export function serveStreams(app: TemplatedApp, ports: StreamPorts): Streams {
  const { node, addressOf, onOpened, handOn, nowMs } = ports;
  const streams = new Map<string, Stream>();
  const topics = new Map<string, Set<Stream>>();
  let isLeaving = false;

  const take = (connection: string, body: string): boolean => {
    const stream = streams.get(connection);
    stream?.heard(body, nowMs());
    return stream !== undefined;
  };
  app.post(SSE_PATH, (res, req) => {
    const peer = Buffer.from(res.getRemoteAddressAsText()).toString();
    const address = addressOf(peer, req.getHeader("x-forwarded-for"));
    const reading = readBody(res, (hello) => {
      if (isLeaving) return reading.answer("503 Service Unavailable", true);
      const id = `${node}.${randomBytes(12).toString("base64url")}`;
      const stream = new Stream(res, address, topics, () => void streams.delete(id));
      streams.set(id, stream);
      res.cork(() => {
        begin(res, "200 OK");
        res.writeHeader("content-type", "text/event-stream");
        res.writeHeader("cache-control", "no-store, no-transform");
        // Proxies of the nginx kind would gather the events.
        res.writeHeader("x-accel-buffering", "no");
        res.write(`event: open\ndata: ${id}\n\n`);
        stream.conversation = onOpened(stream);
        stream.heard(hello, nowMs());
      });
    });
  });
  const passOn = async (connection: string, body: string): Promise<boolean> => {
    if (take(connection, body)) return true;
    if (nodeOfConnection(connection) === node) return false;
    return handOn(connection, body);
  };
  app.post(STREAM_PATH, (res, req) => {
    const connection = req.getParameter(0) ?? "";
    const reading = readBody(res, (body) => {
      // Redis away: the client comes back with what was not taken.
      void passOn(connection, body)
        .catch(() => false)
        .then((isTaken) => reading.answer(isTaken ? "204 No Content" : "410 Gone", isLeaving));
    });
  });
  for (const path of [SSE_PATH, STREAM_PATH])
    app.options(path, (res) => {
      begin(res, "204 No Content");
      res.writeHeader("access-control-allow-methods", "POST");
      res.writeHeader("access-control-allow-headers", "content-type");
      res.writeHeader("access-control-max-age", "86400");
      res.endWithoutBody();
    });
  const looking = setInterval(() => {
    for (const stream of streams.values()) stream.look(nowMs());
  }, LOOK_EVERY_MS);
  return {
    publish(topic, frame) {
      for (const stream of topics.get(topic) ?? []) stream.send(frame);
    },
    take,
    leave: () => (isLeaving = true),
    stop: () => clearInterval(looking),
  };
}

/** Pages come from another port, and tokens travel in bodies: any origin may ask, none has anything to gain by it. */
function begin(res: HttpResponse, status: string): void {
  res.writeStatus(status);
  res.writeHeader("access-control-allow-origin", "*");
}

interface Reading {
  /** @param isLast the connection ends with this answer */
  answer(status: string, isLast?: boolean): void;
}

/** Hands over the whole body as text; one that is too long is answered here. */
function readBody(res: HttpResponse, onBody: (body: string) => void): Reading {
  const parts: Buffer[] = [];
  let bytes = 0;
  let isOver = false;
  const answer = (status: string, isLast = false): void => {
    if (isOver) return;
    isOver = true;
    res.cork(() => {
      begin(res, status);
      res.endWithoutBody(undefined, isLast);
    });
  };
  res.onAborted(() => (isOver = true));
  res.onData((chunk, isLast) => {
    if (isOver) return;
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) return answer("413 Payload Too Large");
    // The library takes the chunk back after this call.
    parts.push(Buffer.from(chunk.slice(0)));
    if (isLast) onBody(Buffer.concat(parts).toString());
  });
  return { answer };
}

class Stream implements Socket {
  readonly json = true;
  readonly address: string;
  conversation: Conversation | undefined;
  readonly #topics: Map<string, Set<Stream>>;
  readonly #own = new Set<string>();
  readonly #forget: () => void;
  #res: HttpResponse | undefined;
  #waitingBytes = 0;
  #heardAtMs = 0;

  constructor(
    res: HttpResponse,
    address: string,
    topics: Map<string, Set<Stream>>,
    forget: () => void,
  ) {
    this.#res = res;
    this.#topics = topics;
    this.#forget = forget;
    this.address = address;
    res.onAborted(() => this.#gone());
  }

  /** At most: what was written since the reader last kept up. */
  get waitingBytes(): number {
    return this.#res === undefined ? 0 : this.#waitingBytes;
  }

  heard(body: string, nowMs: number): void {
    this.#heardAtMs = nowMs;
    for (const line of body.split("\n"))
      if (line !== "") this.conversation?.heard(Buffer.from(line), true);
  }

  send(frame: Uint8Array | string): void {
    this.#write(`data: ${String(frame)}\n\n`);
  }

  cork(work: () => void): void {
    this.#res?.cork(work);
  }

  subscribe(topic: string): void {
    if (this.#res === undefined) return;
    const all = this.#topics.get(topic) ?? new Set();
    this.#topics.set(topic, all.add(this));
    this.#own.add(topic);
  }

  unsubscribe(topic: string): void {
    const all = this.#topics.get(topic);
    all?.delete(this);
    if (all?.size === 0) this.#topics.delete(topic);
    this.#own.delete(topic);
  }

  end(code: number, reason: string): void {
    const res = this.#res;
    if (res === undefined) return;
    this.#gone();
    res.cork(() => {
      res.write(`event: close\ndata: ${code} ${reason}\n\n`);
      res.end();
    });
  }

  /** Ends a stream whose viewer has not been heard of; keeps the others open. */
  look(nowMs: number): void {
    const res = this.#res;
    if (res === undefined) return;
    if (nowMs - this.#heardAtMs < LIMITS.maxSilenceMs) return this.#write(":\n\n");
    this.#gone();
    res.close();
  }

  #write(chunk: string): void {
    const res = this.#res;
    if (res === undefined) return;
    res.cork(() => {
      this.#waitingBytes = res.write(chunk) ? 0 : this.#waitingBytes + chunk.length;
    });
    if (this.#waitingBytes > LIMITS.maxBackpressureBytes) this.conversation?.lagged();
  }

  #gone(): void {
    this.#res = undefined;
    for (const topic of this.#own) this.unsubscribe(topic);
    this.#forget();
    const { conversation } = this;
    this.conversation = undefined;
    conversation?.closed();
  }
}

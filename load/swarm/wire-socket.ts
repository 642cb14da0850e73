/**
 * A WebSocket client for load: the upgrade and the frames on one `node:net` socket, and nothing else (RFC 6455).
 * Guarantees: whole messages in order; a ping is answered; the end is told once. Leaves out: extensions, fragments, TLS, and
 * the random mask, which protects proxies that are not there (the mask is zero, so sending copies the payload once).
 * Cost: no allocation per message received; all sockets of a process read into one buffer.
 */
import { connect, type Socket } from "node:net";

export interface WireSocketPorts {
  readonly url: URL;
  /** Offered subprotocol; "" for none. */
  readonly protocol: string;
  /** Source address: another one has another 28,000 ports. */
  readonly localAddress?: string | undefined;
  readonly onOpened: () => void;
  /** A message: `bytes[start…end)`, valid during this call only. */
  readonly onMessage: (bytes: Buffer, start: number, end: number) => void;
  /** @param code as the server gave it; 1006: the connection broke or was refused */
  readonly onClosed: (code: number, reason: string) => void;
}

const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);
const TEXT = 0x81;
const BINARY = 0x82;
const CLOSE = 0x88;
const PING = 0x89;
const PONG = 0x8a;

export class WireSocket {
  readonly #ports: WireSocketPorts;
  readonly #socket: Socket;
  /** Start of a message whose end has not come. */
  #rest: Buffer | undefined;
  #stage: "opening" | "open" | "over" = "opening";

  constructor(ports: WireSocketPorts) {
    this.#ports = ports;
    const { url, protocol, localAddress } = ports;
    this.#socket = connect({
      host: url.hostname,
      port: Number(url.port || 80),
      ...(localAddress !== undefined && { localAddress }),
      noDelay: true,
      onread: {
        buffer: READ_BUFFER,
        callback: (length, buffer) => {
          this.#take(buffer as Buffer, length);
          return true;
        },
      },
    });
    this.#socket.once("connect", () => this.#socket.write(upgradeRequest(url, protocol)));
    this.#socket.on("error", (error) => this.#over(1006, error.message));
    this.#socket.once("close", () => this.#over(1006, "the connection ended"));
  }

  get isOpen(): boolean {
    return this.#stage === "open";
  }

  send(payload: Uint8Array | string): void {
    if (this.#stage !== "open") return;
    const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
    this.#socket.write(masked(typeof payload === "string" ? TEXT : BINARY, bytes));
  }

  /** What `framed` has made before: for those who send at once and must not lose time packing. */
  sendFramed(frame: Uint8Array): void {
    if (this.#stage === "open") this.#socket.write(frame);
  }

  /**
   * Ends without a further call of `onClosed`, by a reset: a polite end would keep the port for a minute (TIME_WAIT), and a
   * machine that has let in 28,000 viewers would be out of ports.
   */
  drop(): void {
    const wasOpen = this.#stage === "open";
    this.#stage = "over";
    if (wasOpen) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  /** No more is read until `resume`: a viewer whose phone is asleep. */
  stall(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #over(code: number, reason: string): void {
    if (this.#stage === "over") return;
    this.drop();
    this.#ports.onClosed(code, reason);
  }

  #take(read: Buffer, length: number): void {
    const bytes =
      this.#rest === undefined ? read : Buffer.concat([this.#rest, read.subarray(0, length)]);
    const end = this.#rest === undefined ? length : bytes.length;
    this.#rest = undefined;
    let at = this.#stage === "opening" ? this.#opened(bytes, end) : 0;
    while (this.#stage === "open") {
      const next = this.#message(bytes, at, end);
      if (next < 0) break;
      at = next;
    }
    if (at < end && this.#stage !== "over") this.#rest = Buffer.from(bytes.subarray(at, end));
  }

  /** @returns where the first message starts */
  #opened(bytes: Buffer, end: number): number {
    const head = bytes.subarray(0, end).indexOf("\r\n\r\n");
    if (head < 0) return 0;
    const status = bytes.toString("latin1", 0, Math.min(head, 60));
    if (!status.startsWith("HTTP/1.1 101")) {
      this.#over(1006, status.split("\r\n")[0] ?? "");
      return end;
    }
    this.#stage = "open";
    this.#ports.onOpened();
    return head + 4;
  }

  /** Hands on one message. @returns where the next one starts, -1 when this one is not complete */
  #message(bytes: Buffer, at: number, end: number): number {
    if (end - at < 2) return -1;
    const short = (bytes[at + 1] as number) & 127;
    const headBytes = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (end - at < headBytes) return -1;
    const length =
      short === 126
        ? bytes.readUInt16BE(at + 2)
        : short === 127
          ? Number(bytes.readBigUInt64BE(at + 2))
          : short;
    const start = at + headBytes;
    if (end - start < length) return -1;
    this.#received(bytes[at] as number, bytes, start, start + length);
    return start + length;
  }

  // oxlint-disable-next-line max-params -- one call per delivery: no object for it
  #received(kind: number, bytes: Buffer, start: number, end: number): void {
    if (kind === BINARY || kind === TEXT) this.#ports.onMessage(bytes, start, end);
    else if (kind === PING) this.#socket.write(masked(PONG, bytes.subarray(start, end)));
    else if (kind === CLOSE) {
      const code = end - start >= 2 ? bytes.readUInt16BE(start) : 1005;
      this.#over(code, bytes.toString("utf8", Math.min(start + 2, end), end));
    } else if (kind !== PONG)
      this.#over(1002, `a frame of kind ${kind}: fragments are not spoken here`);
  }
}

/** A binary message, ready for `sendFramed`. */
export const framed = (payload: Uint8Array): Uint8Array => masked(BINARY, payload);

export const framedText = (text: string): Uint8Array => masked(TEXT, Buffer.from(text));

/** RFC 6455, 5.2: a client's frame, masked with zeros. */
function masked(kind: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const headBytes = length < 126 ? 6 : 8;
  const frame = Buffer.allocUnsafe(headBytes + length);
  frame[0] = kind;
  if (length < 126) frame[1] = 0x80 | length;
  else {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(length, 2);
  }
  frame.fill(0, headBytes - 4, headBytes);
  frame.set(payload, headBytes);
  return frame;
}

const upgradeRequest = (url: URL, protocol: string): string =>
  [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    // The key of RFC 6455 itself: the answer to it is not checked here.
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    ...(protocol === "" ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
    "\r\n",
  ].join("\r\n");

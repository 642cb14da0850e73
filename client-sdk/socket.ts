/**
 * One WebSocket at a time, speaking frames. Knows nothing of rooms: it opens, hands frames up, and says once that it closed.
 */
import {
  type Body,
  DEFLATED,
  decodeDown,
  decodeDownText,
  type DownFrame,
  encodeUp,
  type NamesGoing,
  RT_PATH,
  SUBPROTOCOLS,
  toArray,
} from "#wire";
import { inflate } from "./inflate.ts";

export interface FrameSocket {
  send<N extends NamesGoing<"up">>(name: N, body: Body<N>): void;
  /** Closes without a further call of `onClosed`. */
  drop(): void;
}

export interface SocketPorts {
  readonly WebSocket: typeof WebSocket;
  readonly url: string;
  readonly json: boolean;
  readonly onOpened: () => void;
  readonly onFrame: (frame: DownFrame) => void;
  /** @param delayMs as the server asked in the reason; 0: no wish @param waiting about how many wait to be let in */
  readonly onClosed: (code: number, delayMs: number, waiting: number) => void;
}

const canInflate = typeof DecompressionStream === "function";

/** The server sent what this version does not know: resume, perhaps on a newer node. */
const UNREADABLE = 4299;

export function openSocket(ports: SocketPorts): FrameSocket {
  const { url, json, onOpened, onFrame, onClosed } = ports;
  const endpoint = new URL(url);
  if (endpoint.pathname === "/") endpoint.pathname = RT_PATH;
  const [msgpack, text, deflate] = SUBPROTOCOLS;
  const offered = json ? text : canInflate ? [deflate, msgpack] : msgpack;
  const ws = new ports.WebSocket(endpoint, offered);
  ws.binaryType = "arraybuffer";
  let over = false;
  const end = (code: number, reason = ""): void => {
    if (over) return;
    over = true;
    const [delayMs = 0, waiting = 0] = reason.split(" ").map((n) => Number.parseInt(n, 10) || 0);
    onClosed(code, delayMs, waiting);
  };
  ws.addEventListener("open", () => {
    if (over) ws.close(1000);
    else onOpened();
  });
  const take = (data: Uint8Array | string): void => {
    if (over) return;
    const frame = typeof data === "string" ? decodeDownText(data) : decodeDown(data);
    if (frame.kind !== "malformed") return onFrame(frame);
    ws.close(1000);
    end(UNREADABLE);
  };
  /** From the first deflated one on all messages wait for the one before: their order is part of what they mean. */
  let before: Promise<void> | undefined;
  const takeInTurn = async (
    message: Uint8Array<ArrayBuffer> | string,
    turn: Promise<void> | undefined,
  ): Promise<void> => {
    let frame: Uint8Array | string = message;
    if (message[0] === DEFLATED)
      try {
        frame = await inflate(message as Uint8Array<ArrayBuffer>);
      } catch {
        // It stays as it is, and will be found unreadable.
      }
    await turn;
    take(frame);
  };
  ws.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) => {
    const message = typeof data === "string" ? data : new Uint8Array(data);
    if (before === undefined && message[0] !== DEFLATED) take(message);
    else before = takeInTurn(message, before);
  });
  ws.addEventListener("close", ({ code, reason }) => end(code, reason));
  ws.addEventListener("error", () => end(1006));
  return {
    send(name, body) {
      if (ws.readyState !== 1) return;
      ws.send(json ? JSON.stringify(toArray(name, body)) : encodeUp(name, body));
    },
    drop() {
      over = true;
      ws.close(1000);
    },
  };
}

/**
 * One WebSocket at a time, speaking frames. Knows nothing of rooms: it opens, hands frames up, and says once that it closed.
 */
import {
  type Body,
  decodeDown,
  decodeDownText,
  type DownFrame,
  encodeUp,
  type NamesGoing,
  RT_PATH,
  SUBPROTOCOLS,
  toArray,
} from "#wire";

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

/** The server sent what this version does not know: resume, perhaps on a newer node. */
const UNREADABLE = 4299;

export function openSocket(ports: SocketPorts): FrameSocket {
  const { url, json, onOpened, onFrame, onClosed } = ports;
  const endpoint = new URL(url);
  if (endpoint.pathname === "/") endpoint.pathname = RT_PATH;
  const ws = new ports.WebSocket(endpoint, SUBPROTOCOLS[json ? 1 : 0]);
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
  ws.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    if (over) return;
    const frame =
      typeof data === "string"
        ? decodeDownText(data)
        : decodeDown(new Uint8Array(data as ArrayBuffer));
    if (frame.kind !== "malformed") return onFrame(frame);
    ws.close(1000);
    end(UNREADABLE);
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

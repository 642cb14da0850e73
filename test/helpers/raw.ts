/** A bare socket that speaks our wire by hand: for what the SDK would never send. */
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

export interface Raw {
  /** Bytes or text as they are. */
  send(data: Uint8Array | string): void;
  /** A lawful frame in this socket's subprotocol. */
  ask<N extends NamesGoing<"up">>(name: N, body: Body<N>): void;
  readonly closed: Promise<{ code: number; reason: string }>;
  /** Everything heard so far, decoded. */
  readonly frames: readonly DownFrame[];
  heard<K extends DownFrame["kind"]>(kind: K): readonly Extract<DownFrame, { kind: K }>[];
  close(): void;
}

/** @throws when the connection is refused */
export async function openRaw(url: string, json = false): Promise<Raw> {
  const ws = new WebSocket(url + RT_PATH, SUBPROTOCOLS[json ? 1 : 0]);
  ws.binaryType = "arraybuffer";
  const frames: DownFrame[] = [];
  ws.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    const frame =
      typeof data === "string"
        ? decodeDownText(data)
        : decodeDown(new Uint8Array(data as ArrayBuffer));
    if (frame.kind === "malformed") throw new Error(`the server sent ${frame.why}`);
    frames.push(frame);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
  });
  await new Promise((resolve, reject) => {
    ws.addEventListener("open", resolve);
    ws.addEventListener("error", () => reject(new Error("the connection was refused")));
  });
  const send = (data: Uint8Array | string): void =>
    ws.send(data as Uint8Array<ArrayBuffer> | string);
  return {
    send,
    ask: (name, body) => send(json ? JSON.stringify(toArray(name, body)) : encodeUp(name, body)),
    closed,
    frames,
    heard: (kind) =>
      frames.filter((f): f is Extract<DownFrame, { kind: typeof kind }> => f.kind === kind),
    close: () => ws.close(),
  };
}

/**
 * The connection for networks that block WebSockets, loaded when it is needed: frames down as a stream of events, frames up as POSTs,
 * one at a time so that their order stays. Tokens travel in bodies, never in addresses.
 */
import { decodeDownText, RT_PATH, SSE_PATH, toArray } from "#wire";
import type { FrameSocket, SocketPorts } from "./socket.ts";

/** As for a WebSocket that broke. */
const BROKEN = 1006;
const UNREADABLE = 4299;

export function openStream({ url, onOpened, onFrame, onClosed }: SocketPorts): FrameSocket {
  const base = new URL(url);
  base.protocol = base.protocol.replace("ws", "http");
  const abort = new AbortController();
  const { signal } = abort;
  let waiting: string[] = [];
  let connection: string | undefined;
  let isPosting = false;

  const end = (code: number, delayMs = 0, others = 0): void => {
    if (signal.aborted) return;
    abort.abort();
    onClosed(code, delayMs, others);
  };
  const ask = (path: string): Promise<Response> => {
    const body = waiting.join("\n");
    waiting = [];
    // No headers of our own: then the browser asks no leave first.
    return fetch(new URL(path, base), { method: "POST", body, signal });
  };
  const post = async (): Promise<void> => {
    if (isPosting || connection === undefined) return;
    isPosting = true;
    const path = `${RT_PATH}/${connection}`;
    while (waiting.length > 0)
      if (!(await ask(path)).ok) throw new Error("this connection is not known any more");
    isPosting = false;
  };
  const broken = (): void => end(BROKEN);

  const heard = (event: string, data: string): void => {
    if (event === "open") {
      connection = data;
      post().catch(broken);
    } else if (event === "close") {
      const [code = 0, ...rest] = data.split(" ").map((word) => Number.parseInt(word, 10) || 0);
      end(code, rest[0], rest[1]);
    } else {
      const frame = decodeDownText(data);
      if (frame.kind === "malformed") end(UNREADABLE);
      else onFrame(frame);
    }
  };
  const take = (block: string): void => {
    const field = (name: string): string =>
      block
        .split("\n")
        .find((line) => line.startsWith(`${name}: `))
        ?.slice(name.length + 2) ?? "";
    const data = field("data");
    // A comment keeps the stream open and says nothing.
    if (data !== "" && !signal.aborted) heard(field("event"), data);
  };
  const run = async (): Promise<void> => {
    onOpened();
    const { ok, body } = await ask(SSE_PATH);
    if (!ok || body === null) throw new Error("no stream here");
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop() ?? "";
      blocks.forEach(take);
    }
  };
  // After the caller has this socket in hand.
  void Promise.resolve()
    .then(run)
    .catch(() => undefined)
    .then(broken);

  return {
    send(name, body) {
      waiting.push(JSON.stringify(toArray(name, body)));
      post().catch(broken);
    },
    drop: () => abort.abort(),
  };
}

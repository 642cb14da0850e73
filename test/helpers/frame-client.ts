/** A viewer without the SDK: joins a room and sends any lawful frame, to show what a hostile client is told. */
import { type Body, decodeDown, type DownFrame, encodeUp, SUBPROTOCOLS } from "#wire";

type Asked = "hold" | "tap" | "redeem" | "wait" | "pass";
type AnswerOf<N extends Asked> = Body<
  N extends "redeem" | "tap" ? "holdAnswered" : `${Exclude<N, "redeem" | "tap">}Answered`
>;

export interface FrameClient {
  /** All frames so far. */
  readonly heard: readonly DownFrame[];
  /** Rejects when it is answered by `failed`. */
  ask<N extends Asked>(name: N, body: Omit<Body<N>, "id">): Promise<AnswerOf<N>>;
  close(): void;
}

/** Resolves when the room is joined. */
export async function frameClient(url: string, show: string, token: string): Promise<FrameClient> {
  const socket = new WebSocket(`${url}/v1/rt`, SUBPROTOCOLS[0]);
  socket.binaryType = "arraybuffer";
  const waiting = new Map<number, PromiseWithResolvers<never>>();
  const joined = Promise.withResolvers<void>();
  const heard: DownFrame[] = [];
  let lastId = 0;
  socket.addEventListener("open", () =>
    socket.send(encodeUp("hello", { token, show, client: "raw", epoch: "", offset: 0 })),
  );
  socket.addEventListener("close", ({ code, reason }) =>
    joined.reject(new Error(`closed: ${code} ${reason}`)),
  );
  socket.addEventListener("message", ({ data }: MessageEvent<ArrayBuffer>) => {
    const frame = decodeDown(new Uint8Array(data)) as DownFrame;
    heard.push(frame);
    if (frame.kind === "joined") return joined.resolve();
    if (!("id" in frame)) return;
    const asked = waiting.get(frame.id);
    waiting.delete(frame.id);
    if (frame.kind === "failed") asked?.reject(new Error(frame.code));
    else asked?.resolve(frame as never);
  });
  await joined.promise;
  return {
    heard,
    ask(name, body) {
      const id = ++lastId;
      const answer = Promise.withResolvers<never>();
      waiting.set(id, answer);
      socket.send(encodeUp(name, { ...body, id } as never));
      return answer.promise;
    },
    close: () => socket.close(),
  };
}

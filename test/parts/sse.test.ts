/** Events and POSTs as any client may send them: clear answers, and no way around the rules of the socket. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { CLOSES, LIMITS, toArray } from "#wire";
import { type Gateway, startWorld, until, type World } from "../helpers/rooms.ts";

let world: World;
let one: Gateway;
let two: Gateway;
beforeAll(async () => {
  world = await startWorld();
  [one, two] = await Promise.all([world.gateway(), world.gateway()]);
});
afterAll(() => world.stop());

const http = ({ url }: Gateway): string => url.replace("ws", "http");
const post = (gateway: Gateway, connection: string, body: string): Promise<number> =>
  fetch(`${http(gateway)}/v1/rt/${connection}`, { method: "POST", body }).then((r) => r.status);

interface Stream {
  readonly status: number;
  readonly headers: Headers;
  text(): string;
  /** Of the first event. */
  connection(): Promise<string>;
  readonly abort: () => void;
}

async function openStream(gateway: Gateway, body: string): Promise<Stream> {
  const abort = new AbortController();
  const { signal } = abort;
  const response = await fetch(`${http(gateway)}/v1/sse`, { method: "POST", body, signal });
  let text = "";
  const read = async (): Promise<void> => {
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read())
      text += part.value;
  };
  void read().catch(() => undefined);
  return {
    status: response.status,
    headers: response.headers,
    text: () => text,
    connection: async () =>
      (await until(() => /^event: open\ndata: (\S+)/.exec(text)))[1] as string,
    abort: () => abort.abort(),
  };
}

const hello = async (show: string, viewerId: string): Promise<string> => {
  const token = await world.tokens.sign({ show, viewerId, role: "viewer", name: viewerId });
  return JSON.stringify(toArray("hello", { token, show, client: "c1", epoch: "", offset: 0 }));
};

test("[SSE3] a stream is EventSource's format with the frames as text; a POST to any gateway reaches it; what is gone is 410", async () => {
  const show = await world.show();
  const stream = await openStream(one, await hello(show, "ann"));
  expect(stream.status).toBe(200);
  expect(stream.headers.get("content-type")).toBe("text/event-stream");
  expect(stream.headers.get("access-control-allow-origin")).toBe("*");
  const connection = await stream.connection();
  await until(() => stream.text().includes("data: [65,"));
  const beat = JSON.stringify(toArray("beat", { offset: 0, tick: 0, clientAtMs: 7 }));
  expect(await post(one, connection, beat)).toBe(204);
  await until(() => stream.text().includes("data: [66,7,"));
  expect(await post(two, connection, beat.replace("7", "8"))).toBe(204);
  await until(() => stream.text().includes("data: [66,8,"));
  for (const block of stream.text().trimEnd().split("\n\n"))
    expect(block).toMatch(/^(event: open\n)?data: \S/);
  stream.abort();
  await until(async () => (await post(one, connection, beat)) === 410);
  expect(await post(two, "nobody.knows", beat)).toBe(410);
  expect(await post(two, "garbage", beat)).toBe(410);
});

test("[SSE4] unlawful bodies end the stream with the code of the socket; one that is too long is 413", async () => {
  const show = await world.show();
  const cases: readonly [string, number][] = [
    ["not json", CLOSES.undecodable.code],
    [
      JSON.stringify(toArray("beat", { offset: 0, tick: 0, clientAtMs: 1 })),
      CLOSES.notGreeted.code,
    ],
    [(await hello(show, "bob")).replace(show, "another"), CLOSES.wrongShow.code],
  ];
  for (const [body, code] of cases) {
    const stream = await openStream(one, body);
    await until(() => stream.text().includes(`event: close\ndata: ${code} `));
  }
  const stream = await openStream(one, await hello(show, "cat"));
  const connection = await stream.connection();
  expect(await post(one, connection, "x".repeat(3 * LIMITS.maxFrameBytes))).toBe(413);
  expect(await post(one, connection, "[99]")).toBe(204);
  await until(() => stream.text().includes(`event: close\ndata: ${CLOSES.unknownOpcode.code} `));
});

test("[SSE5] a stream without hello is told so, and one that nobody reads any more is not a viewer", async () => {
  const show = await world.show();
  const silent = await openStream(one, "");
  const stream = await openStream(two, await hello(show, "dan"));
  const live = await world.join(one, show, "eve", { transport: "sse" });
  await until(() => live.state.viewers === 2);
  stream.abort();
  await until(() => live.state.viewers === 1, 8000);
  await until(
    () => silent.text().includes(`event: close\ndata: ${CLOSES.helloLate.code} `),
    10_000,
  );
}, 30_000);

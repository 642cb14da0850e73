import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CLOSES, type CloseWord, encodeUp, FRAMES, LIMITS, RT_PATH, SUBPROTOCOLS } from "#wire";
import { type Gateway, startWorld, type World } from "../helpers/rooms.ts";

let world: World;
let gateway: Gateway;
let show: string;
let token: string;
beforeAll(async () => {
  world = await startWorld();
  gateway = await world.gateway();
  show = await world.show();
  token = await world.tokens.sign({ show, viewerId: "v1", role: "viewer", name: "V" });
});
afterAll(() => world.stop());

interface Raw {
  send(data: Uint8Array | string): void;
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly heard: (Uint8Array | string)[];
}

async function open(json = false, url = gateway.url): Promise<Raw> {
  const ws = new WebSocket(url + RT_PATH, SUBPROTOCOLS[json ? 1 : 0]);
  ws.binaryType = "arraybuffer";
  const heard: (Uint8Array | string)[] = [];
  ws.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    heard.push(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer));
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
  });
  await new Promise((resolve, reject) => {
    ws.addEventListener("open", resolve);
    ws.addEventListener("error", reject);
  });
  return { send: (data) => ws.send(data as Uint8Array<ArrayBuffer> | string), closed, heard };
}

const hello = (over: Partial<{ token: string; show: string }> = {}): Uint8Array =>
  encodeUp("hello", { token, show, client: "c1", epoch: "", offset: 0, ...over });
const beat = encodeUp("beat", { offset: 0, tick: 0, clientAtMs: 0 });
const text = (raw: unknown): string => JSON.stringify(raw);

/** Each: the subprotocol, what is sent, and the word of the close it earns. */
const MALFORMED: readonly (readonly [
  string,
  boolean,
  readonly (Uint8Array | string | (() => Uint8Array))[],
  CloseWord,
])[] = [
  ["text on the msgpack subprotocol", false, ["[1]"], "notBinary"],
  ["bytes on the JSON subprotocol", true, [Uint8Array.of(0x91, 1)], "notBinary"],
  ["an empty message", false, [new Uint8Array()], "undecodable"],
  ["a cut array", false, [Uint8Array.of(0x93, 0x02)], "undecodable"],
  ["text that is not JSON", true, ["{["], "undecodable"],
  ["a number", false, [Uint8Array.of(0x07)], "notArray"],
  ["a JSON object", true, ['{"op":1}'], "notArray"],
  [
    "an array claiming 4 billion entries",
    false,
    [Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)],
    "undecodable",
  ],
  ["an unknown opcode", true, [text([0x3e])], "unknownOpcode"],
  ["an opcode of the server", true, [text([FRAMES.joined.opcode, 1])], "wrongWay"],
  ["a hello with a field too few", true, [text([1, "t", "s", "c", ""])], "wrongArity"],
  ["a hello with a negative offset", true, [text([1, "t", "s", "c", "", -1])], "badField"],
  ["a command of 5 kB", true, [text([3, 1, 1, "x".repeat(5000)])], "tooLong"],
  ["a beat before hello", false, [beat], "notGreeted"],
  ["a command between hello and joined", false, [() => hello(), beat], "notGreeted"],
  ["a second hello", false, [() => hello(), () => hello()], "greetedTwice"],
  ["a forged token", false, [() => hello({ token: "a.b.c" })], "badToken"],
  ["a token of another show", false, [() => hello({ show: "other" })], "wrongShow"],
];

test.each(MALFORMED)("[GW1] %s is closed with its exact code", async (_, json, messages, word) => {
  const raw = await open(json);
  for (const message of messages) raw.send(typeof message === "function" ? message() : message);
  expect((await raw.closed).code).toBe(CLOSES[word].code);
});

test("[GW1] a token of a show that is not there is closed with noShow", async () => {
  const stray = await world.tokens.sign({
    show: "nowhere",
    viewerId: "v",
    role: "viewer",
    name: "V",
  });
  const raw = await open();
  raw.send(hello({ token: stray, show: "nowhere" }));
  expect((await raw.closed).code).toBe(CLOSES.noShow.code);
});

test("[GW1] an expired token is refused for good", async () => {
  const old = await world.tokens.sign({ show, viewerId: "v", role: "viewer", name: "V" }, -1000);
  const raw = await open();
  raw.send(hello({ token: old }));
  expect((await raw.closed).code).toBe(CLOSES.badToken.code);
});

test("[GW2] a socket that says nothing is closed after helloWithinMs, and told when to come back", async () => {
  const raw = await open();
  const startedMs = performance.now();
  const { code, reason } = await raw.closed;
  expect(code).toBe(CLOSES.helloLate.code);
  expect(Number(reason)).toBeGreaterThan(0);
  expect(performance.now() - startedMs).toBeGreaterThan(LIMITS.helloWithinMs * 0.9);
});

test("[GW2] a flood of frames is closed with tooFast", async () => {
  const raw = await open();
  raw.send(hello());
  await expect.poll(() => raw.heard.length).toBeGreaterThan(1);
  for (let i = 0; i < LIMITS.frameBurst + 50; i++) raw.send(beat);
  expect((await raw.closed).code).toBe(CLOSES.tooFast.code);
});

test("[GW2] a message over maxFrameBytes ends the connection, nothing else", async () => {
  const raw = await open();
  raw.send(new Uint8Array(LIMITS.maxFrameBytes + 1));
  expect((await raw.closed).code).toBe(1006);
  const next = await world.join(gateway, show, "after");
  expect(next.state.connection).toBe("live");
});

test("[GW2] without a subprotocol of ours there is no connection", async () => {
  const response = await fetch(gateway.url.replace("ws:", "http:") + RT_PATH);
  expect(response.status).toBeGreaterThanOrEqual(400);
  await expect(
    new Promise((resolve, reject) => {
      const ws = new WebSocket(gateway.url + RT_PATH, "chat");
      ws.addEventListener("open", resolve);
      ws.addEventListener("error", reject);
    }),
  ).rejects.toBeDefined();
});

test("[GW3] 20,000 random frames: every socket ends in a lawful close code, the room goes on for the others", async () => {
  const bystander = await world.join(gateway, show, "bystander");
  const lawful = new Set<number>(Object.values(CLOSES).map((c) => c.code));
  const codes = new Map<number, number>();
  let sent = 0;
  const attack = async (): Promise<void> => {
    while (sent < 20_000) {
      const raw = await open();
      // Half of them get in first, so that the commands are under fire too.
      if (sent % 2 === 0) raw.send(hello());
      for (let i = 0; i < 10; i++, sent++) {
        const bytes = randomBytes(1 + Math.floor(Math.random() * 60));
        // Bias towards arrays with known opcodes.
        if (i % 2 === 0)
          bytes.set([0x90 | (1 + (i % 6)), Math.floor(Math.random() * 12)].slice(0, bytes.length));
        raw.send(new Uint8Array(bytes));
      }
      const { code } = await raw.closed;
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 16 }, attack));
  for (const code of codes.keys()) expect(lawful.has(code), `close code ${code}`).toBe(true);
  expect(await bystander.comment("still here")).toMatchObject({ result: "accepted" });
}, 60_000);

test("[ADM3] a full gateway turns newcomers away with a delay; they get in when there is room", async () => {
  const small = await world.gateway("small", { MAX_VIEWERS: "10" });
  const lives = await Promise.all(
    Array.from({ length: 9 }, (_, i) => world.join(small, show, `full${i}`)),
  );
  const raw = await open(false, small.url);
  raw.send(hello());
  const { code, reason } = await raw.closed;
  expect(code).toBe(CLOSES.overloaded.code);
  // When to come back, and about how many wait.
  expect(reason).toMatch(/^[1-9]\d* 1$/);
  lives[0]?.close();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect((await world.join(small, show, "in")).state.connection).toBe("live");
});

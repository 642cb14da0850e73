/** The SDK's connection on a virtual clock: sockets that the network has forgotten, and which way is tried when. */
import { expect, test } from "vitest";
import { type DownFrame, encodeUp } from "#wire";
import { encodeDown } from "#wire/server";
import { type Connection, createConnection } from "../../client-sdk/connection.ts";
import type { LinkState } from "../../client-sdk/link.ts";

/** One socket as a browser has it, and the network as the test wants it. */
class Wire extends EventTarget {
  static made: Wire[] = [];
  readonly url: string;
  binaryType = "";
  readyState = 0;
  sent: unknown[] = [];
  isClosed = false;
  constructor(url: string | URL) {
    super();
    this.url = String(url);
    Wire.made.push(this);
  }
  send(data: unknown): void {
    this.sent.push(data);
  }
  close(): void {
    this.isClosed = true;
  }
  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }
  hear(bytes: Uint8Array): void {
    const data = Uint8Array.from(bytes).buffer;
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
  fail(): void {
    this.dispatchEvent(new Event("error"));
  }
}

interface Bench {
  readonly connection: Connection;
  readonly states: LinkState[];
  /** Runs what is due, half a second at a time, as the SDK does. */
  readonly pass: (ms: number) => Promise<void>;
}

function bench(): Bench {
  Wire.made = [];
  let nowMs = 0;
  let timers: { readonly dueMs: number; readonly fn: () => void }[] = [];
  const states: LinkState[] = [];
  const connection = createConnection({
    options: {
      url: "ws://a",
      show: "s",
      token: "t",
      WebSocket: Wire as unknown as typeof WebSocket,
    },
    client: "c",
    nowMs: () => nowMs,
    later(fn, delayMs) {
      timers.push({ dueMs: nowMs + delayMs, fn });
      return 0 as unknown as ReturnType<typeof setTimeout>;
    },
    chance: () => 0,
    position: () => ({ epoch: "", offset: 0 }),
    onFrame(frame: DownFrame) {
      if (frame.kind === "joined") connection.go({ on: "joined" });
    },
    onChanged: (now) => void states.push(now),
  });
  return {
    connection,
    states,
    async pass(ms) {
      for (const endMs = nowMs + ms; nowMs < endMs; nowMs += 500) {
        const due = timers.filter(({ dueMs }) => dueMs <= nowMs);
        timers = timers.filter(({ dueMs }) => dueMs > nowMs);
        for (const { fn } of due) fn();
        connection.check();
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

const joined = encodeDown("joined", { offset: 0 });
const beaten = encodeDown("beaten", { clientAtMs: 0, serverAtMs: 0 });

test("[SDK30] a socket that opens into nothing is given up after 6 s, a silent one after 35 s, one that hears never", async () => {
  const { connection, states, pass } = bench();
  connection.go({ on: "connect" });
  await pass(5500);
  expect(Wire.made).toHaveLength(1);
  await pass(1500);
  expect(Wire.made[0]?.isClosed).toBe(true);
  expect(Wire.made).toHaveLength(2);
  const live = Wire.made[1] as Wire;
  live.open();
  expect(live.sent[0]).toEqual(
    encodeUp("hello", { token: "t", show: "s", client: "c", epoch: "", offset: 0 }),
  );
  live.hear(joined);
  expect(states.at(-1)).toEqual({ at: "live" });
  for (let i = 0; i < 6; i++) {
    await pass(30_000);
    live.hear(beaten);
  }
  expect(Wire.made).toHaveLength(2);
  expect(states.at(-1)).toEqual({ at: "live" });
  await pass(34_000);
  expect(live.isClosed).toBe(false);
  await pass(2000);
  expect(live.isClosed).toBe(true);
  expect(Wire.made).toHaveLength(3);
});

test("[SDK30] on a move, a new socket that stays silent is given up, and the old one goes on", async () => {
  const { connection, states, pass } = bench();
  connection.go({ on: "connect" });
  await pass(500);
  const old = Wire.made[0] as Wire;
  old.open();
  old.hear(joined);
  old.hear(encodeDown("goaway", { delayMs: 0 }));
  await pass(1000);
  expect(states.at(-1)).toEqual({ at: "moving", attempt: 0 });
  const lost = Wire.made[1] as Wire;
  await pass(7000);
  expect([lost.isClosed, old.isClosed]).toEqual([true, false]);
  await pass(1000);
  const next = Wire.made[2] as Wire;
  next.open();
  next.hear(joined);
  expect(states.at(-1)).toEqual({ at: "live" });
  await pass(1000);
  expect([old.isClosed, next.isClosed]).toEqual([true, false]);
});

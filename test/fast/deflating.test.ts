/** Deflated ticks: what goes in comes out, in the order in which it was sent. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { DEFLATED } from "#wire";
import { encodeDown } from "#wire/server";
import { inflate } from "../../client-sdk/inflate.ts";
import { openSocket } from "../../client-sdk/socket.ts";
import { deflated } from "../../server/room/deflating.ts";

const comment = (no: number, text: string) =>
  ({ no, viewerId: `v${no}`, name: "小鱼", role: "viewer", text, count: 1 }) as const;
const tick = (texts: readonly string[]): Uint8Array =>
  encodeDown("comments", {
    tick: 1,
    atMs: 1,
    accepted: texts.length,
    skipped: 0,
    thinned: 0,
    upTo: texts.length,
    comments: texts.map((text, i) => comment(i, text)),
  });

test("[DEFLATE1] a frame comes out of its deflated message as it went in, and no message is longer than its frame", async () => {
  const said = fc.oneof(
    fc.constantFrom("3号链接多少钱", "要2件", "is it sold out?", "666"),
    fc.string({ unit: "binary", minLength: 1, maxLength: 60 }),
  );
  const texts = fc.array(said, { maxLength: 60 });
  let deflatedOnes = 0;
  await fc.assert(
    fc.asyncProperty(texts, async (all) => {
      const frame = tick(all);
      const message = deflated(frame);
      expect(message.length).toBeLessThanOrEqual(frame.length);
      if (message[0] === DEFLATED) {
        deflatedOnes++;
        expect(await inflate(new Uint8Array(message))).toEqual(new Uint8Array(frame));
      } else expect(message).toBe(frame);
    }),
    { examples: [[Array.from({ length: 30 }, (_, i) => `${i} 号链接多少钱`)]] },
  );
  expect(deflatedOnes).toBeGreaterThan(0);
});

/** A socket whose messages come when the test says so. */
class HandSocket extends EventTarget {
  static last: HandSocket | undefined;
  static offered: unknown;
  readyState = 1;
  binaryType = "";
  closed = 0;
  constructor(_url: URL, offered: unknown) {
    super();
    HandSocket.last = this;
    HandSocket.offered = offered;
  }
  send(): void {}
  close(): void {
    this.closed++;
  }
  gets(message: Uint8Array): void {
    this.dispatchEvent(new MessageEvent("message", { data: new Uint8Array(message).buffer }));
  }
}

const open = (kinds: string[], closes: number[] = []) =>
  openSocket({
    WebSocket: HandSocket as unknown as typeof WebSocket,
    url: "ws://nowhere",
    json: false,
    onOpened: () => undefined,
    onFrame: (frame) => kinds.push(frame.kind),
    onClosed: (code) => closes.push(code),
  });
const large = deflated(tick(Array.from({ length: 30 }, (_, i) => `${i} 号链接多少钱`)));
const deleted = encodeDown("commentDeleted", { offset: 1, commentNo: 3 });

test("[DEFLATE2] what comes behind a deflated frame waits for it: a comment is never shown after its deletion", async () => {
  const kinds: string[] = [];
  open(kinds);
  const socket = HandSocket.last as HandSocket;
  socket.gets(deleted);
  for (const message of [large, deleted, large, tick(["1"]), deleted]) socket.gets(message);
  expect(kinds).toEqual(["commentDeleted"]);
  await expect.poll(() => kinds.length).toBe(6);
  expect(kinds).toEqual([
    "commentDeleted",
    "comments",
    "commentDeleted",
    "comments",
    "comments",
    "commentDeleted",
  ]);
});

test("[DEFLATE3] a damaged deflated frame ends the connection, to resume; what was behind it is not taken", async () => {
  const kinds: string[] = [];
  const closes: number[] = [];
  open(kinds, closes);
  const socket = HandSocket.last as HandSocket;
  socket.gets(Uint8Array.of(DEFLATED, 0xff, 0xff, 0xff));
  socket.gets(deleted);
  await expect.poll(() => closes).toEqual([4299]);
  expect(kinds).toEqual([]);
  expect(socket.closed).toBe(1);
});

test("[DEFLATE4] a client that is gone takes nothing more of what was being inflated", async () => {
  const kinds: string[] = [];
  const socket = open(kinds);
  (HandSocket.last as HandSocket).gets(large);
  socket.drop();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(kinds).toEqual([]);
});

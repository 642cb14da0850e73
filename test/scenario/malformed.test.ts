/** Malformed frames: each earns its exact close code, before and after joining, and the room goes on for the others. */
import { expect } from "vitest";
import { CLOSES, type CloseWord, encodeUp, FRAMES, LIMITS } from "#wire";
import type { Raw } from "../helpers/raw.ts";
import { type Stage, stageOf } from "./runtime.ts";

const scenario = stageOf();
const bytes = (...list: readonly number[]): Uint8Array => Uint8Array.from(list);
const text = (raw: unknown): string => JSON.stringify(raw);

/** Each on a socket of its own: before hello, and again once joined where `joinedToo`. */
async function earns(
  s: Stage,
  word: CloseWord,
  cases: readonly (readonly [json: boolean, message: Uint8Array | string])[],
  joinedToo = true,
): Promise<void> {
  const bystander = await s.viewer("bystander");
  await Promise.all(
    cases.flatMap(([json, message], i) => {
      const attack = async (raw: Raw): Promise<void> => {
        raw.send(message);
        expect(await raw.closed, String(message)).toEqual({
          code: CLOSES[word].code,
          reason: word,
        });
      };
      const sockets = [s.raw(json)];
      if (joinedToo) sockets.push(s.greeted(`v${i}`, { json }));
      return sockets.map(async (socket) => attack(await socket));
    }),
  );
  expect((await bystander.live.comment("还在")).result).toBe("accepted");
}

scenario("[SCX1] the wrong kind of message for the subprotocol: notBinary", (s) =>
  earns(s, "notBinary", [
    [false, "[1]"],
    [false, ""],
    [true, bytes(0x91, 1)],
    [true, bytes()],
  ]),
);

scenario("[SCX2] what is not msgpack or not JSON: undecodable", (s) =>
  earns(s, "undecodable", [
    [false, bytes()],
    [false, bytes(0x93, 2)],
    [false, bytes(0xdd, 255, 255, 255, 255)],
    [false, bytes(0x91, 1, 1)],
    [true, "{["],
    [true, ""],
    [true, "\u0000"],
  ]),
);

scenario("[SCX3] anything but an array: notArray", (s) =>
  earns(s, "notArray", [
    [false, bytes(7)],
    [false, bytes(0xc0)],
    [false, bytes(0xc1)],
    [false, bytes(0x81, 1, 1)],
    [true, '{"op":1}'],
    [true, "null"],
    [true, '"hello"'],
  ]),
);

scenario("[SCX4] an opcode that is none: unknownOpcode", (s) =>
  earns(s, "unknownOpcode", [
    [true, text([0x3e])],
    [true, text([-1])],
    [true, text([1.5])],
    [true, text([])],
    [true, text(["hello"])],
    [true, text([1e300])],
    [false, bytes(0x91, 0x3f)],
    [false, bytes(0x90)],
  ]),
);

scenario("[SCX5] what only the server says: wrongWay", (s) =>
  earns(
    s,
    "wrongWay",
    Object.values(FRAMES)
      .filter(({ way }) => way === "down")
      .map(({ opcode }) => [true, text([opcode, 1])]),
    false,
  ),
);

scenario("[SCX6] a field too few or too many: wrongArity", (s) =>
  earns(s, "wrongArity", [
    [true, text([FRAMES.hello.opcode, "t", "s", "c", ""])],
    [true, text([FRAMES.beat.opcode, 0, 0, 0, 0])],
    [true, text([FRAMES.hold.opcode])],
    [
      false,
      encodeUp("catchUp", { offset: 1 })
        .map((b, i) => (i === 0 ? 0x91 : b))
        .slice(0, 2),
    ],
  ]),
);

scenario("[SCX7] a field of the wrong type, range or length: badField", (s) =>
  earns(s, "badField", [
    [true, text([FRAMES.beat.opcode, -1, 0, 0])],
    [true, text([FRAMES.beat.opcode, 0.5, 0, 0])],
    [true, text([FRAMES.beat.opcode, 2 ** 53, 0, 0])],
    [true, text([FRAMES.beat.opcode, "0", 0, 0])],
    [true, text([FRAMES.comment.opcode, 1, 1, null])],
    [true, text([FRAMES.comment.opcode, 1, 1, ""])],
    [true, text([FRAMES.comment.opcode, 2 ** 32, 1, "x"])],
    [true, text([FRAMES.hold.opcode, 1, "k", "d", 0, 0])],
    [true, text([FRAMES.hold.opcode, 1, "k".repeat(LIMITS.maxKeyChars + 1), "d", 1, 0])],
    [true, text([FRAMES.redeem.opcode, 1, "k", "d", 1, ["a", "b", "c", "d"], "", 0])],
    [true, text([FRAMES.signal.opcode, 1, "explode", ""])],
    [true, text([FRAMES.react.opcode, 1, [1], 0])],
  ]),
);

scenario(
  "[SCX8] a command over 4 kB: tooLong; a whole message over 64 kB: the connection ends",
  async (s) => {
    await earns(s, "tooLong", [
      [true, text([FRAMES.comment.opcode, 1, 1, "x".repeat(LIMITS.maxCommandBytes)])],
      [false, encodeUp("comment", { id: 1, seq: 1, text: "x".repeat(LIMITS.maxCommandBytes) })],
    ]);
    const raw = await s.greeted("ann");
    raw.send(new Uint8Array(LIMITS.maxFrameBytes + 1));
    expect((await raw.closed).code).toBe(1006);
  },
);

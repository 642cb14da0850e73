import { readFileSync } from "node:fs";
import fc from "fast-check";
import { Packr } from "msgpackr";
import { describe, expect, test } from "vitest";
import {
  CLOSES,
  comebackAfter,
  decodeDown,
  decodeDownText,
  decodeUp,
  decodeUpText,
  encodeUp,
  FRAMES,
  type FrameName,
  LIMITS,
  toArray,
} from "#wire";
import { encodeDown, encodeDownText, textOf } from "#wire/server";
import { protocolDocument } from "../../client-sdk/protocol/document.ts";
import { pack } from "../../client-sdk/protocol/pack.ts";
import { frameOf } from "../frames.ts";

const upNames = (Object.keys(FRAMES) as FrameName[]).filter((n) => FRAMES[n].way === "up");
const downNames = (Object.keys(FRAMES) as FrameName[]).filter((n) => FRAMES[n].way === "down");

/** The wire as bytes, once per frame. A change there breaks deployed clients: add frames, never edit a line. */
const GOLDEN = JSON.parse(readFileSync("test/golden.json", "utf8")) as readonly {
  readonly name: FrameName;
  readonly body: object;
  readonly hex: string;
}[];

describe("golden bytes", () => {
  test.each(GOLDEN)("[W1] $name keeps its bytes", ({ name, body, hex }) => {
    const bytes =
      FRAMES[name].way === "up"
        ? encodeUp(name as "beat", body as never)
        : encodeDown(name as "joined", body as never);
    expect(Buffer.from(bytes).toString("hex")).toBe(hex);
  });
  test("[W1] every frame has golden bytes", () => {
    expect(new Set(GOLDEN.map((g) => g.name))).toEqual(new Set(Object.keys(FRAMES)));
  });
});

describe("round trip", () => {
  test.each(upNames)("[W2] any lawful %s comes back as it was, in both subprotocols", (name) => {
    fc.assert(
      fc.property(frameOf(name), (body) => {
        expect(decodeUp(encodeUp(name as "beat", body as never))).toEqual({ kind: name, ...body });
        expect(decodeUpText(JSON.stringify(toArray(name, body as never)))).toEqual({
          kind: name,
          ...body,
        });
      }),
      { numRuns: 50 },
    );
  });
  test.each(downNames)("[W2] any lawful %s comes back as it was, in both subprotocols", (name) => {
    fc.assert(
      fc.property(frameOf(name), (body) => {
        const bytes = encodeDown(name as "joined", body as never);
        expect(decodeDown(bytes)).toEqual({ kind: name, ...body });
        expect(decodeDownText(encodeDownText(name as "joined", body as never))).toEqual({
          kind: name,
          ...body,
        });
        expect(decodeDownText(textOf(bytes))).toEqual({ kind: name, ...body });
      }),
      { numRuns: 30 },
    );
  });
  test("[W3] the client's small packer writes what msgpackr reads", () => {
    const packr = new Packr({ useRecords: false, int64AsType: "number" });
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: "small" },
        fc.maxSafeNat(),
        fc.string({ unit: "binary", maxLength: 300 }),
        fc.boolean(),
        fc.array(tie("any"), { maxLength: 20 }),
      ),
    })).any;
    fc.assert(
      fc.property(value, (v) => {
        expect(packr.unpack(pack(v))).toEqual(v);
      }),
      { numRuns: 500 },
    );
    for (const n of [
      127,
      128,
      255,
      256,
      65_535,
      65_536,
      2 ** 32 - 1,
      2 ** 32,
      Number.MAX_SAFE_INTEGER,
    ])
      expect(packr.unpack(pack([n])), String(n)).toEqual([n]);
    for (const n of [31, 32, 255, 256, 65_535, 65_536])
      expect(packr.unpack(pack("x".repeat(n))), String(n)).toBe("x".repeat(n));
    expect(() => pack(-1)).toThrow(TypeError);
    expect(() => pack(null)).toThrow(TypeError);
  });
});

const lawful = (kind: unknown): boolean => kind === "malformed" || (kind as string) in FRAMES;

const why = (raw: unknown): unknown => {
  const frame = decodeUpText(JSON.stringify(raw));
  return frame.kind === "malformed" ? frame.close : frame.kind;
};

describe("hostile input", () => {
  test("[W4] any bytes decode to a frame or `malformed`, never a throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(lawful(decodeUp(bytes).kind)).toBe(true);
        expect(lawful(decodeDown(bytes).kind)).toBe(true);
      }),
      { numRuns: 20_000 },
    );
  });
  test("[W4] any mutation of a lawful frame decodes to a frame or `malformed`, never a throw", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...GOLDEN),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(),
        ({ hex }, changes, cut) => {
          const bytes = new Uint8Array(Buffer.from(hex, "hex"));
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          const part = bytes.subarray(0, cut % 3 === 0 ? cut % bytes.length : bytes.length);
          expect(lawful(decodeUp(part).kind)).toBe(true);
          expect(lawful(decodeDown(part).kind)).toBe(true);
        },
      ),
      { numRuns: 10_000 },
    );
  });
  test("[W4] an opcode of 30,000 arrays within each other is `malformed`, not a throw", () => {
    const text = "[".repeat(30_000) + "]".repeat(30_000);
    expect([decodeUpText(text).kind, decodeDownText(text).kind]).toEqual([
      "malformed",
      "malformed",
    ]);
  });
  test("[W4] any text decodes to a frame or `malformed`, never a throw", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(lawful(decodeUpText(text).kind)).toBe(true);
        expect(lawful(decodeDownText(text).kind)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  const comment = FRAMES.comment.opcode;
  test.each([
    ["an object", { op: 1 }, "notArray"],
    ["an empty array", [], "unknownOpcode"],
    ["a text opcode", ["hello"], "unknownOpcode"],
    ["an opcode that cannot be put into words", [{ toString: false }], "unknownOpcode"],
    ["a negative opcode", [-1], "unknownOpcode"],
    ["a broken opcode", [1.5], "unknownOpcode"],
    ["an unknown opcode", [0x3f], "unknownOpcode"],
    ["a server's opcode", [FRAMES.welcome.opcode], "wrongWay"],
    ["a field too few", [comment, 1, 1], "wrongArity"],
    ["a field too many", [comment, 1, 1, "hi", 0], "wrongArity"],
    ["a text id", [comment, "1", 1, "hi"], "badField"],
    ["an empty text", [comment, 1, 1, ""], "badField"],
    ["a text one over", [comment, 1, 1, "x".repeat(LIMITS.maxCommentChars + 1)], "badField"],
    ["a text at the limit", [comment, 1, 1, "x".repeat(LIMITS.maxCommentChars)], "comment"],
    ["an id one over", [comment, 2 ** 32, 1, "hi"], "badField"],
    ["a null", [comment, 1, 1, null], "badField"],
    ["a quantity of nothing", [FRAMES.hold.opcode, 1, "k", "d", 0, 0], "badField"],
    ["an unknown signal", [FRAMES.signal.opcode, 1, "reboot", "{}"], "badField"],
    [
      "a command over maxCommandBytes",
      [FRAMES.comment.opcode, 1, 1, "x".repeat(LIMITS.maxCommandBytes)],
      "tooLong",
    ],
  ])("[W5] %s is refused as such", (_, raw, close) => {
    expect(why(raw)).toBe(close);
  });
});

describe("the table", () => {
  test("[W6] opcodes are unique, and those of clients lie below 0x40", () => {
    const codes = Object.values(FRAMES).map((f) => f.opcode);
    expect(new Set(codes).size).toBe(codes.length);
    for (const f of Object.values(FRAMES))
      expect(f.opcode < 0x40, String(f.opcode)).toBe(f.way === "up");
  });
  test("[W6] events of lane R begin with their offset, states of lane S have a version", () => {
    for (const f of Object.values(FRAMES) as { lane?: string; fields: object }[]) {
      if (f.lane === "R") expect(Object.keys(f.fields)[0]).toBe("offset");
      if (f.lane === "S") expect(Object.keys(f.fields)).toContain("version");
    }
  });
  test("[W7] close codes are unique and say when to come back", () => {
    const codes = Object.values(CLOSES).map((c) => c.code);
    expect(new Set(codes).size).toBe(codes.length);
    expect([4000, 4099, 4100, 4199, 4200, 4299, 1000, 1006].map(comebackAfter)).toEqual([
      "never",
      "never",
      "later",
      "later",
      "now",
      "now",
      "now",
      "now",
    ]);
  });
  test("[W8] PROTOCOL.md is what the table says", () => {
    expect(readFileSync("client-sdk/PROTOCOL.md", "utf8")).toBe(protocolDocument());
  });
});

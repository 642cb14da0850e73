import fc from "fast-check";
import { Packr } from "msgpackr";
import { expect, test } from "vitest";
import { unpack } from "../../client-sdk/protocol/unpack.ts";

const packr = new Packr({ useRecords: false, int64AsType: "number" });

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    fc.maxSafeInteger(),
    fc.integer({ min: -200, max: 70_000 }),
    fc.double({ noNaN: true }),
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.string({ unit: "grapheme", maxLength: 90 }),
    fc.constantFrom(null, true, false, "", "\u{feff}茶", 2 ** 31, -(2 ** 31), 2 ** 40, -(2 ** 40)),
    fc.array(tie("any"), { maxLength: 20 }),
    // msgpackr renames `__proto__`; what becomes of it here is looked at below.
    fc.dictionary(
      fc.string({ minLength: 1, maxLength: 9 }).filter((key) => key !== "__proto__"),
      tie("any"),
      { noNullPrototype: true },
    ),
  ),
})).any;

test("[W9] the client's small reader reads what msgpackr writes, and nothing that is cut short or goes on", () => {
  fc.assert(
    fc.property(value, fc.nat(), (v, cut) => {
      const bytes = new Uint8Array(packr.pack(v));
      expect(unpack(bytes)).toEqual(packr.unpack(bytes));
      expect(() => unpack(bytes.subarray(0, cut % bytes.length))).toThrow(RangeError);
      expect(() => unpack(Uint8Array.from([...bytes, 0]))).toThrow(RangeError);
    }),
    { numRuns: 1000 },
  );
  for (const long of [15, 16, 65_535, 65_536]) {
    const list = Array.from({ length: long }, (_, i) => i);
    expect(unpack(new Uint8Array(packr.pack(list)))).toEqual(list);
    expect(unpack(new Uint8Array(packr.pack("茶".repeat(long))))).toBe("茶".repeat(long));
  }
});

test("[W9] any bytes give a value or a RangeError, and what claims more than it has is refused at once", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        unpack(bytes);
      } catch (fault) {
        expect(fault).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 5000 },
  );
  for (const claim of [0xdd, 0xdf, 0xdb, 0xc6])
    expect(() => unpack(Uint8Array.of(claim, 255, 255, 255, 255, 0))).toThrow(RangeError);
  expect(() => unpack(new Uint8Array(60_000).fill(0x91))).toThrow(RangeError);
  expect(() => unpack(Uint8Array.of(0xd4, 1, 1))).toThrow(RangeError);
  const hostile = unpack(
    Uint8Array.of(0x81, 0xa9, ...Buffer.from("__proto__"), 0x81, 0xa1, 120, 1),
  );
  expect(Object.getPrototypeOf(hostile)).toBe(Object.prototype);
  expect("x" in (hostile as object)).toBe(false);
});

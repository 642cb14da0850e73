/** What a bench prints: ratios are taken between rows of one run, and `--json` has one fixed shape. */
import { expect, test } from "vitest";
import { linesOf, median, type Row, tableOf } from "../bench/rows.ts";
import { inTurns } from "../bench/rounds.ts";

const ROWS: readonly Row[] = [
  { row: "batched", value: 150_000, unit: "/s", controls: ["decr", "call-per-buyer"] },
  { row: "call-per-buyer", value: 50_000, unit: "/s", controls: ["decr"] },
  { row: "decr", value: 400_000, unit: "/s", controls: [] },
];

test("[BENCH1] ratio is value ÷ control of the same run; a row with two controls is two lines", () => {
  expect(linesOf("holds", ROWS).map(({ row, control, ratio }) => [row, control, ratio])).toEqual([
    ["batched", "decr", 0.375],
    ["batched", "call-per-buyer", 3],
    ["call-per-buyer", "decr", 0.125],
    ["decr", null, null],
  ]);
});

test("[BENCH2] a JSON line has exactly bench, row, value, unit, control, ratio, in this order", () => {
  const [first] = linesOf("holds", ROWS);
  expect(JSON.stringify(first)).toBe(
    '{"bench":"holds","row":"batched","value":150000,"unit":"/s","control":"decr","ratio":0.375}',
  );
  for (const line of linesOf("holds", ROWS))
    expect(Object.keys(line)).toEqual(["bench", "row", "value", "unit", "control", "ratio"]);
});

test("[BENCH3] a row whose control was not measured is an error, not a row without a ratio", () => {
  expect(() => linesOf("holds", ROWS.slice(0, 2))).toThrow(/control decr, which was not measured/);
  expect(() => linesOf("holds", [...ROWS, ROWS[2] as Row])).toThrow(/two rows of one name/);
});

test("[BENCH4] the median of an even number is the middle of the two middle ones", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
});

test("[BENCH5] subjects are measured by turns, the first round does not count", async () => {
  const order: string[] = [];
  const values = { a: [1000, 1, 3, 2], b: [1000, 10, 30, 20] };
  const medians = await inTurns(3, {
    a: () => {
      order.push("a");
      return values.a.shift() as number;
    },
    b: async () => {
      order.push("b");
      return values.b.shift() as number;
    },
  });
  expect(order.join("")).toBe("abababab");
  expect(medians).toEqual({ a: 2, b: 20 });
});

test("[BENCH6] the table names the control of every ratio", () => {
  const table = tableOf(linesOf("holds", ROWS)).split("\n");
  expect(table).toHaveLength(4);
  expect(table[0]).toContain("0.38 × decr");
  expect(table[3]).toContain("(control)");
});

/** One line and its rules: what a line proves, and which movement may follow which. */
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { KINDS } from "../../server/ledger/kinds.ts";
import { createSealer, genesisOf, publicLine, readLine } from "../../server/ledger/line.ts";
import { booksOf, type Movement } from "../../server/ledger/movement.ts";
import { createReplay } from "../../server/ledger/replay.ts";
import { dice, lawfulHistory } from "../helpers/ledger.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const held = lawfulHistory(10).find(({ kind }) => kind === "held") as Movement;
const SECRET = "0".repeat(64);
const sealed = createSealer("demo", SECRET)(held, genesisOf("demo"));

type Field = "dropId" | "viewerId" | "holdId" | "buyerSalt" | "holdSalt";

test("[LEDGER1] a line's hash covers who bought through salted commitments that anybody who is told can recompute", () => {
  const line = JSON.parse(sealed.text) as Record<string, string>;
  const { dropId, viewerId, holdId, buyerSalt, holdSalt } = line as Record<Field, string>;
  expect([viewerId, holdId]).toEqual([held.viewerId, held.holdId]);
  const [open = ""] = sealed.text.split(',"hash":');
  expect(line["hash"]).toBe(sha256(open));
  expect(open).not.toContain(held.viewerId);
  expect(line["prev"]).toBe(sha256("dropcast ledger 1 demo"));
  const committed = (...parts: readonly string[]): string => sha256(JSON.stringify(parts));
  expect(line["buyer"]).toBe(committed("dropcast buyer 1", buyerSalt, "demo", dropId, viewerId));
  expect(line["hold"]).toBe(committed("dropcast hold 1", holdSalt, "demo", viewerId, holdId));
});

test("[LEDGER1] taking the private part out leaves the hash; another viewer in its place does not pass", () => {
  expect(readLine(sealed.text, "demo")).toMatchObject({ viewerId: held.viewerId, no: held.no });
  const redacted = publicLine(sealed.text);
  expect(redacted).not.toContain(held.viewerId);
  expect(readLine(redacted, "demo")).toMatchObject({ viewerId: "", hash: sealed.hash });
  const forged = sealed.text.replace(`"viewerId":"${held.viewerId}"`, '"viewerId":"eve"');
  expect(readLine(forged, "demo")).toHaveProperty("en", expect.stringContaining("commits to"));
  expect(readLine(sealed.text, "other")).toHaveProperty("en");
});

test("[LEDGER1] the same movement gives the same bytes, under another secret other commitments", () => {
  expect(createSealer("demo", SECRET)(held, genesisOf("demo"))).toEqual(sealed);
  const other = createSealer("demo", "1".repeat(64))(held, genesisOf("demo"));
  expect(other.text).not.toBe(sealed.text);
});

test("[LEDGER2] the replay knows every kind of movement that a script of the shop writes", () => {
  const scripts = globSync("server/shop/*.lua").map((file) => readFileSync(file, "utf8"));
  const calls = scripts.flatMap((lua) => [
    ...lua.matchAll(/(?<!function )\b(?:move\(([^,]*),|giveBack\([^)]*,([^)]*)\))/g),
  ]);
  const written = calls.flatMap(([, moved, back]) =>
    [...(moved ?? back ?? "").matchAll(/(?:^ ?|and |or )"(\w+)"/g)].map((found) => found[1]),
  );
  expect(new Set(written)).toEqual(new Set(Object.keys(KINDS)));
});

test("[LEDGER3][I1][I2][I5][I6] random lawful histories replay; their totals are the last books", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const replay = createReplay();
    const history = lawfulHistory(200, seed);
    for (const movement of history)
      expect(replay.apply(stepOf(movement)), `${seed}`).toBe(undefined);
    for (const [dropId, { books }] of replay.drops)
      expect(books).toEqual(booksOf(history.findLast((m) => m.dropId === dropId) as Movement));
  }
});

test("[LEDGER3][I1][I2][I5][I6] whatever is changed in a lawful history is refused at that entry", () => {
  const history = lawfulHistory(120, 3);
  const roll = dice(9);
  const names = [
    "quantity",
    "available",
    "held",
    "sold",
    "writtenOff",
    "allotted",
    "restocked",
  ] as const;
  for (let i = 0; i < 300; i++) {
    const at = roll(history.length);
    const name = names[roll(names.length)] ?? "quantity";
    const replay = createReplay();
    const wrong = history.findIndex((movement, n) => {
      const changed = { ...movement, [name]: movement[name] + 1 + roll(3) };
      return replay.apply(stepOf(n === at ? changed : movement)) !== undefined;
    });
    expect(wrong, `${name} of ${at + 1}`).toBe(at);
  }
});

const BEGIN = {
  no: 1,
  atMs: 0,
  kind: "allotted",
  dropId: "d",
  quantity: 2,
  cents: 0,
  discountCents: 0,
  coupons: "",
};
const FULL = { allotted: 2, restocked: 0, available: 2, held: 0, sold: 0, writtenOff: 0 };
const HELD = { kind: "held", quantity: 1, available: 1, held: 1, holdId: "k", viewerId: "ann" };
const SOLD = { kind: "sold", available: 1, held: 0, sold: 1, cents: 9 };
const RETURNED = { kind: "returned", available: 2, sold: 0, cents: 9 };
const CLOSED = {
  kind: "closed",
  quantity: 1,
  holdId: "",
  viewerId: "",
  available: 0,
  writtenOff: 1,
  cents: 0,
};
test.each([
  ["more held and sold than there is", [{ ...HELD, quantity: 3, available: -1, held: 3 }], /I1|I2/],
  ["units from nowhere", [{ ...HELD, available: 2 }], /I1/],
  [
    "a hold that ends twice",
    [HELD, SOLD, { kind: "expired", available: 2, held: -1, cents: 0 }],
    /I5/,
  ],
  ["a second hold under one key", [HELD, { ...HELD, available: 0, held: 2 }], /I5/],
  [
    "the sale of nothing",
    [{ ...SOLD, holdId: "k", viewerId: "ann", quantity: 1, available: 2, held: -1 }],
    /I5/,
  ],
  [
    "an end in another quantity",
    [HELD, { kind: "expired", quantity: 0, available: 1, held: 1 }],
    /I5/,
  ],
  ["a hold after the end", [HELD, CLOSED, { ...HELD, holdId: "k2" }], /I9/],
  ["a return of other money", [HELD, SOLD, { ...RETURNED, cents: 8 }], /I8/],
  ["a second return", [HELD, SOLD, RETURNED, RETURNED], /I5/],
  ["a discount without a coupon", [HELD, { ...SOLD, discountCents: 5 }], /I8/],
  ["a discount above its coupons", [HELD, { ...SOLD, discountCents: 6, coupons: "c:5:9" }], /I8/],
  ["a coupon spent too often", [HELD, { ...SOLD, discountCents: 5, coupons: "c:5:0" }], /budget/],
  [
    "a coupon of other worth",
    [HELD, { ...SOLD, discountCents: 5, coupons: "c:5:9,c:6:9" }],
    /not worth/,
  ],
  ["a coupon without a sale", [{ ...HELD, coupons: "c:5:9" }], /I8/],
  ["money without a sale", [{ ...HELD, cents: 5 }], /I8/],
  [
    "an end that leaves units",
    [HELD, { ...CLOSED, quantity: 0, available: 1, writtenOff: 0 }],
    /I6/,
  ],
  ["a kind that does not exist", [{ kind: "constructor" }], /kind/],
  ["a drop from nowhere", [{ dropId: "e", kind: "restocked" }], /never allotted/],
])("[LEDGER3] refused: %s", (_name, steps, why) => {
  const replay = createReplay();
  let last = stepOf({ ...BEGIN, ...FULL, viewerId: "", holdId: "" });
  expect(replay.apply(last)).toBe(undefined);
  const answers = steps.map((step) => {
    last = stepOf({ ...last, ...step, no: last.no + 1 });
    return replay.apply(last)?.en;
  });
  expect(answers.slice(0, -1)).toEqual(steps.slice(1).map(() => undefined));
  expect(answers.at(-1)).toMatch(why);
});

const stepOf = (movement: Movement) => ({
  ...movement,
  buyer: movement.viewerId && `${movement.dropId}|${movement.viewerId}`,
  hold: movement.holdId && `${movement.viewerId}|${movement.holdId}`,
});

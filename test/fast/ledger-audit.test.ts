/** Verifying files: whatever is changed in them is noticed, where it is. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Audit, auditFolder } from "../../server/ledger/audit.ts";
import { writeCheckpoint } from "../../server/ledger/checkpoint.ts";
import { CHECKPOINTS, segmentsIn } from "../../server/ledger/files.ts";
import type { LedgerKey } from "../../server/ledger/key.ts";
import { createSealer, genesisOf } from "../../server/ledger/line.ts";
import type { Movement } from "../../server/ledger/movement.ts";
import {
  copyOf,
  dice,
  fileLedger,
  type FiledLedger,
  flip,
  lawfulHistory,
  linesIn,
  newKey,
  removeFolders,
  writeLines,
} from "../helpers/ledger.ts";

// Hundreds of audits a test: quick, unless the machine is busy.
vi.setConfig({ testTimeout: 30_000 });

let key: LedgerKey;
let ledger: FiledLedger;
const SMALL = { maxSegmentBytes: 6000, checkpointMovements: 14 };
beforeAll(async () => {
  key = newKey();
  ledger = await fileLedger(lawfulHistory(60), key, SMALL);
});
afterAll(removeFolders);

const audit = (folder: string, by: LedgerKey = key): Promise<Audit> =>
  auditFolder(folder, { show: "demo", publicKey: by.publicKey });

test("[LEDGER4][I6] a ledger as written verifies, over segments and checkpoints", async () => {
  const { bad, lastNo, signedNo, segments, checkpoints, isUnfinished } = await audit(ledger.folder);
  expect({ bad, lastNo, signedNo, isUnfinished }).toEqual({
    bad: undefined,
    lastNo: 60,
    signedNo: 60,
    isUnfinished: false,
  });
  expect(segments).toBeGreaterThan(3);
  expect(checkpoints).toBeGreaterThanOrEqual(segments);
});

/** Two segments, two checkpoints: quick to read some thousand times. */
const smallOne = (): Promise<FiledLedger> =>
  fileLedger(lawfulHistory(12), key, { maxSegmentBytes: 4000 });

test("[LEDGER4][I6] one flipped bit at any byte of a segment: the first bad entry is the one it is in", async () => {
  const { folder } = await smallOne();
  const roll = dice(4);
  let before = 0;
  for (const file of segmentsIn(folder)) {
    const path = join(folder, file);
    const bytes = readFileSync(path);
    for (let position = roll(5); position < bytes.length; position += 1 + roll(36)) {
      flip(path, position, roll(8));
      const line = 1 + bytes.subarray(0, position).filter((byte) => byte === 10).length;
      const { bad } = await audit(folder);
      writeFileSync(path, bytes);
      expect(bad, `byte ${position}`).toMatchObject({ file, line, no: before + line });
    }
    before += bytes.filter((byte) => byte === 10).length;
  }
  expect(before).toBe(12);
  expect((await audit(folder)).bad).toBe(undefined);
});

test("[LEDGER4] one flipped bit in the last line or its end is noticed", async () => {
  const { folder } = await smallOne();
  const path = join(folder, segmentsIn(folder).at(-1) as string);
  const bytes = readFileSync(path);
  const start = bytes.lastIndexOf(10, bytes.length - 2) + 1;
  for (let position = bytes.length - 1; position >= start; position -= 3) {
    flip(path, position, position % 8);
    const { bad } = await audit(folder);
    writeFileSync(path, bytes);
    expect(bad, `byte ${position}`).toMatchObject({ no: 12 });
  }
});

test("[LEDGER4] one flipped bit in a checkpoint names that checkpoint", async () => {
  const { folder } = await smallOne();
  const path = join(folder, CHECKPOINTS);
  const bytes = readFileSync(path);
  const roll = dice(5);
  // Without its line feed the last one counts as cut short, and the chain's end as unsigned: no fault.
  for (let position = 0; position < bytes.length - 1; position += 1 + roll(12)) {
    flip(path, position, roll(8));
    const line = 1 + bytes.subarray(0, position).filter((byte) => byte === 10).length;
    const { bad } = await audit(folder);
    writeFileSync(path, bytes);
    expect(bad, `byte ${position}`).toMatchObject({ file: CHECKPOINTS, line });
  }
});

test.each([
  ["a line taken out", (lines: string[]) => lines.toSpliced(2, 1), 3],
  ["a line doubled", (lines: string[]) => lines.toSpliced(2, 0, lines[2] as string), 4],
  [
    "two lines exchanged",
    (lines: string[]) => lines.with(2, lines[3] as string).with(3, lines[2] as string),
    3,
  ],
  ["a line of another show", (lines: string[]) => lines.with(2, foreign), 3],
])("[LEDGER5] noticed: %s", async (_name, change, line) => {
  const folder = copyOf(ledger);
  writeLines(folder, "000001.ndjson", change(linesIn(folder, "000001.ndjson")));
  expect((await audit(folder)).bad).toMatchObject({ file: "000001.ndjson", line });
});
const foreign = createSealer("other", "0".repeat(64))(
  lawfulHistory(3)[2] as Movement,
  genesisOf("other"),
).text;

test("[LEDGER5] noticed: a segment taken out, an end cut off that was signed", async () => {
  const without = copyOf(ledger);
  rmSync(join(without, "000002.ndjson"));
  expect((await audit(without)).bad).toMatchObject({ file: "000003.ndjson", line: 1 });
  const cut = copyOf(ledger);
  const last = segmentsIn(cut).at(-1) as string;
  writeLines(cut, last, linesIn(cut, last).slice(0, -1));
  expect((await audit(cut)).bad).toMatchObject({ file: CHECKPOINTS, no: 60 });
});

test("[LEDGER6] signed with another key: refused, also when the whole ledger was rewritten and signed anew", async () => {
  const thief = newKey();
  const forged = await fileLedger(ledger.movements, thief, SMALL);
  expect((await audit(forged.folder, thief)).bad).toBe(undefined);
  expect((await audit(forged.folder)).bad).toMatchObject({ file: CHECKPOINTS, line: 1 });
  const mixed = copyOf(ledger);
  const at = await audit(mixed);
  const drops = new Map([...at.replay.drops].map(([dropId, { books }]) => [dropId, books]));
  const extra = writeCheckpoint(
    { show: "demo", no: 60, hash: at.hash, epoch: "", atMs: 0, drops },
    thief,
  );
  const lines = linesIn(mixed, CHECKPOINTS);
  writeLines(mixed, CHECKPOINTS, [...lines, extra]);
  expect((await audit(mixed)).bad).toMatchObject({
    line: lines.length + 1,
    en: expect.stringContaining("key"),
  });
});

test("[LEDGER6] a signature over other books or another chain is refused", async () => {
  const folder = copyOf(ledger);
  const { hash, replay } = await audit(folder);
  const drops = new Map([...replay.drops].map(([dropId, { books }]) => [dropId, books]));
  const [first] = drops.keys();
  const wrong = new Map(drops).set(String(first), {
    ...(drops.get(String(first)) as Movement),
    sold: 1,
  });
  const lines = linesIn(folder, CHECKPOINTS);
  for (const [what, says] of [
    [{ show: "demo", no: 60, hash, epoch: "", atMs: 0, drops: wrong }, "other books"],
    [{ show: "demo", no: 60, hash: "0".repeat(64), epoch: "", atMs: 0, drops }, "another chain"],
    [{ show: "x", no: 60, hash, epoch: "", atMs: 0, drops }, "another show"],
  ] as const) {
    writeLines(folder, CHECKPOINTS, [...lines, writeCheckpoint(what, key)]);
    expect((await audit(folder)).bad?.en).toContain(says);
  }
});

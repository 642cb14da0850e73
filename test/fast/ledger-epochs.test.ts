/** Ledger files that go on with another history after a failover: nothing is taken out, and what was lost does not count. */
import { readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Audit, auditFolder } from "../../server/ledger/audit.ts";
import { CHAIN_LIMITS, type Chain, openChain } from "../../server/ledger/chain.ts";
import { segmentsIn } from "../../server/ledger/files.ts";
import type { LedgerKey } from "../../server/ledger/key.ts";
import { type Books, booksOf, type Movement } from "../../server/ledger/movement.ts";
import { auditProof, writeProof } from "../../server/ledger/proof.ts";
import { standingLines } from "../../server/ledger/stretch.ts";
import {
  copyOf,
  dice,
  fileLedger,
  flip,
  lawfulHistory,
  linesIn,
  newFolder,
  newKey,
  removeFolders,
  writeLines,
} from "../helpers/ledger.ts";

const SMALL = { maxSegmentBytes: 4000, checkpointMovements: 7, checkpointMs: 1e9 };
const HISTORY = lawfulHistory(60);
let key: LedgerKey;
let folder: string;
beforeAll(async () => {
  key = newKey();
  folder = newFolder();
  // 45 movements, of which 15 are lost; ten more, of which two are lost; then all the rest.
  await goOn(folder, 0, 45);
  await goOn(folder, 30, 40, "e2");
  await goOn(folder, 38, 60, "e3");
});
afterAll(removeFolders);

const open = (at: string): Promise<Chain> =>
  openChain({
    folder: at,
    show: "demo",
    epoch: "e1",
    key,
    limits: { ...CHAIN_LIMITS, ...SMALL },
    now: () => 0,
  });

const booksAfter = (no: number): Map<string, Books> => {
  const drops = new Map<string, Books>();
  for (const movement of HISTORY.slice(0, no)) drops.set(movement.dropId, booksOf(movement));
  return drops;
};

async function goOn(at: string, after: number, until: number, epoch?: string): Promise<void> {
  const chain = await open(at);
  const annulled = chain.lastNo - after;
  if (epoch !== undefined && chain.epoch !== epoch)
    await chain.beginEpoch({ epoch, after, annulled, atMs: 1, drops: booksAfter(after) });
  for (const movement of HISTORY.slice(chain.lastNo, until)) {
    await chain.append([movement]);
    await chain.commit();
  }
  await chain.close();
}

const audit = (at: string): Promise<Audit> =>
  auditFolder(at, { show: "demo", publicKey: key.publicKey });

test("[EPOCH1][F1] after failovers the files verify, name what was lost, and replay to the history that stands", async () => {
  const { bad, replay, lastNo, epochs } = await audit(folder);
  expect({ bad, lastNo }).toEqual({ bad: undefined, lastNo: 60 });
  expect(epochs.map(({ epoch, after, annulled }) => [epoch, after, annulled])).toEqual([
    ["e2", 30, 15],
    ["e3", 38, 2],
  ]);
  const straight = await fileLedger(HISTORY, key, SMALL);
  const whole = await audit(straight.folder);
  expect([...replay.drops]).toEqual([...whole.replay.drops]);
  expect([...replay.holds]).toEqual([...whole.replay.holds]);
  const numbers: number[] = [];
  for await (const lines of standingLines(folder))
    for (const { text } of lines) numbers.push((JSON.parse(text) as Movement).no);
  expect(numbers).toEqual(HISTORY.map(({ no }) => no));
});

test("[EPOCH2] whatever bit is flipped, also in what no longer counts, is refused", async () => {
  const roll = dice(18);
  for (let i = 0; i < 120; i++) {
    const copy = copyOf({ folder });
    const segments = segmentsIn(copy);
    const file = join(copy, segments[roll(segments.length)] as string);
    flip(file, roll(readFileSync(file).length), roll(8));
    expect((await audit(copy)).bad, `${i}`).toBeDefined();
  }
});

test("[EPOCH2] an epoch that begins with other books, elsewhere, or without the lines it annuls is refused", async () => {
  for (const wrong of [
    { after: 29, annulled: 16, drops: booksAfter(30) },
    { after: 30, annulled: 14, drops: booksAfter(30) },
  ]) {
    const other = newFolder();
    await goOn(other, 0, 45);
    const chain = await open(other);
    await chain.beginEpoch({ epoch: "e2", atMs: 1, ...wrong });
    await chain.close();
    expect((await audit(other)).bad).toBeDefined();
  }
  const copy = copyOf({ folder });
  const [first = ""] = segmentsIn(copy);
  writeLines(copy, first, linesIn(copy, first).slice(0, -1));
  expect((await audit(copy)).bad).toBeDefined();
});

test("[EPOCH3][F7] cut short anywhere in its last segment, it is gone on with, to the same bytes", async () => {
  const roll = dice(19);
  const begun = newFolder();
  await goOn(begun, 0, 45);
  const before = segmentsIn(begun).length;
  const chain = await open(begun);
  await chain.beginEpoch({ epoch: "e2", after: 30, annulled: 15, atMs: 1, drops: booksAfter(30) });
  await chain.append(HISTORY.slice(30, 34));
  await chain.abandon();
  expect(segmentsIn(begun).length).toBeGreaterThan(before);
  for (let i = 0; i < 30; i++) {
    const copy = copyOf({ folder: begun });
    const name = segmentsIn(copy).at(-1) as string;
    const [start = ""] = linesIn(copy, name);
    // The epoch's own line is signed at once; what follows it is not yet.
    const least = Buffer.byteLength(start) + 1;
    const { length } = readFileSync(join(copy, name));
    truncateSync(join(copy, name), least + roll(length - least + 1));
    await goOn(copy, 30, 60, "e2");
    const { bad, lastNo } = await audit(copy);
    expect({ bad, lastNo }).toEqual({ bad: undefined, lastNo: 60 });
  }
});

test("[EPOCH4] its public proof verifies by itself", async () => {
  const { lastCheckpoint } = await audit(folder);
  if (lastCheckpoint === undefined) throw new Error("nothing signed");
  const at = newFolder();
  const lines: string[] = [];
  for await (const text of writeProof(folder, lastCheckpoint))
    lines.push(...text.split("\n").filter(Boolean));
  writeLines(at, "proof.ndjson", lines);
  const proof = await auditProof(join(at, "proof.ndjson"), key.publicKey);
  expect(proof).toMatchObject({ bad: undefined, lastNo: 60 });
  expect(proof.epochs).toHaveLength(2);
  writeLines(
    at,
    "proof.ndjson",
    lines.filter((line) => !line.includes('"epoch":"e3","after"')),
  );
  expect((await auditProof(join(at, "proof.ndjson"), key.publicKey)).bad).toBeDefined();
});

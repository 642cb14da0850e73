/** Files after a crash, and files as a public proof. */
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Audit, auditFolder } from "../../server/ledger/audit.ts";
import { CHAIN_LIMITS, openChain } from "../../server/ledger/chain.ts";
import { CHECKPOINTS, segmentsIn } from "../../server/ledger/files.ts";
import type { LedgerKey } from "../../server/ledger/key.ts";
import { publicLine } from "../../server/ledger/line.ts";
import type { Movement } from "../../server/ledger/movement.ts";
import { auditProof, writeProof } from "../../server/ledger/proof.ts";
import { LedgerDamage } from "../../server/ledger/resume.ts";
import {
  bytesOf,
  copyOf,
  dice,
  fileLedger,
  type FiledLedger,
  flip,
  lawfulHistory,
  linesIn,
  newFolder,
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

const audit = (folder: string): Promise<Audit> =>
  auditFolder(folder, { show: "demo", publicKey: key.publicKey });

const limits = { ...CHAIN_LIMITS, ...SMALL };
const goOn = async (folder: string): Promise<number> => {
  const chain = await openChain({ folder, show: "demo", epoch: "e1", key, limits, now: () => 0 });
  await chain.append(ledger.movements.slice(chain.lastNo));
  await chain.close();
  return chain.cutBytes;
};

test("[LEDGER7][F7] torn at any byte, the files go on to the very bytes of an uninterrupted run", async () => {
  const whole = bytesOf(ledger.folder);
  const roll = dice(7);
  for (let i = 0; i < 60; i++) {
    const folder = copyOf(ledger);
    const keep = 1 + roll(segmentsIn(folder).length);
    crashIn(folder, keep, roll);
    await goOn(folder);
    expect(bytesOf(folder).equals(whole), `segment ${keep}`).toBe(true);
    expect((await audit(folder)).bad).toBe(undefined);
    rmSync(folder, { recursive: true });
  }
});

/** As if the process had died while writing segment `keep`: later ones not begun, checkpoints only for what is whole. */
function crashIn(folder: string, keep: number, roll: (most: number) => number): void {
  const segments = segmentsIn(folder);
  for (const name of segments.slice(keep)) rmSync(join(folder, name));
  const file = segments[keep - 1] as string;
  const size = readFileSync(join(folder, file)).length;
  truncateSync(join(folder, file), roll(size + 1));
  const wholeLines = bytesOf(folder).filter((byte) => byte === 10).length;
  const signed = linesIn(folder, CHECKPOINTS).filter(
    (line) => (JSON.parse(line) as Movement).no <= wholeLines,
  );
  writeLines(folder, CHECKPOINTS, signed);
  if (roll(2) === 0) writeFileSync(join(folder, CHECKPOINTS), '{"dropcast":"led', { flag: "a" });
}

test("[LEDGER7] a torn line is said, and bytes that a disk made up after it go too", async () => {
  const folder = copyOf(ledger);
  const last = segmentsIn(folder).at(-1) as string;
  const junk = `{"no":61,"atMs":17\0\0\0\n\0\0`;
  writeFileSync(join(folder, last), junk, { flag: "a" });
  expect(await goOn(folder)).toBe(junk.length);
  expect(bytesOf(folder).equals(bytesOf(ledger.folder))).toBe(true);
});

test("[LEDGER8] damage to what was signed is left as it is", async () => {
  const roll = dice(8);
  for (let i = 0; i < 40; i++) {
    const folder = copyOf(ledger);
    const last = join(folder, segmentsIn(folder).at(-1) as string);
    flip(last, roll(readFileSync(last).length), roll(8));
    const before = bytesOf(folder);
    await expect(goOn(folder)).rejects.toBeInstanceOf(LedgerDamage);
    expect(bytesOf(folder).equals(before)).toBe(true);
  }
});

const proofOf = async (folder: string): Promise<string> => {
  const { lastCheckpoint } = await audit(folder);
  if (lastCheckpoint === undefined) throw new Error("nothing signed");
  const path = join(newFolder(), "proof.ndjson");
  let text = "";
  for await (const lines of writeProof(folder, lastCheckpoint)) text += lines;
  writeFileSync(path, text);
  return path;
};

test("[LEDGER9] verifies by itself, with the totals of the ledger, and names nobody", async () => {
  const path = await proofOf(ledger.folder);
  const text = readFileSync(path, "utf8");
  for (const { viewerId, holdId } of ledger.movements.filter((m) => m.holdId !== ""))
    for (const secret of [viewerId, holdId]) expect(text).not.toContain(secret);
  expect(text).not.toMatch(/salt|viewerId|holdId/i);
  const proof = await auditProof(path);
  const whole = await audit(ledger.folder);
  expect(proof).toMatchObject({
    bad: undefined,
    show: "demo",
    publicKey: key.publicKey,
    lastNo: 60,
  });
  expect(proof.hash).toBe(whole.hash);
  expect([...proof.replay.drops]).toEqual([...whole.replay.drops]);
});

test("[LEDGER9] any flipped bit, any line left out, a foreign key: refused", async () => {
  const path = await proofOf(ledger.folder);
  const bytes = readFileSync(path);
  const roll = dice(10);
  for (let i = 0; i < 200; i++) {
    flip(path, roll(bytes.length), roll(8));
    expect((await auditProof(path)).bad).toBeDefined();
    writeFileSync(path, bytes);
  }
  const lines = bytes.toString().trimEnd().split("\n");
  for (let i = 0; i < lines.length; i += 5) {
    writeFileSync(path, `${lines.toSpliced(i, 1).join("\n")}\n`);
    expect((await auditProof(path)).bad, `line ${i}`).toBeDefined();
  }
  writeFileSync(path, bytes);
  expect((await auditProof(path, newKey().publicKey)).bad?.en).toContain("key");
});

test("[LEDGER9] with a viewer taken out of the ledger, chain and signatures still stand", async () => {
  const folder = copyOf(ledger);
  for (const segment of segmentsIn(folder)) {
    const lines = linesIn(folder, segment);
    writeLines(
      folder,
      segment,
      lines.map((line) => (line.includes('"viewer-3"') ? publicLine(line) : line)),
    );
  }
  expect(bytesOf(folder).toString()).not.toContain('"viewer-3"');
  const { bad, redacted, signedNo } = await audit(folder);
  expect({ bad, signedNo }).toEqual({ bad: undefined, signedNo: 60 });
  expect(redacted).toBeGreaterThan(0);
});

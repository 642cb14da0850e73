/**
 * Checks a ledger as written: each line against itself, each against the one before (number, hash, books), each checkpoint against
 * the chain, its own books and the key. Stops at the first that is wrong. Needs no server and no secret; the same for a public proof.
 */
import { type Checkpoint, isCheckpoint, readCheckpoint } from "./checkpoint.ts";
import { CHECKPOINTS, type Line, linesOf, linesOfShow, segmentsIn } from "./files.ts";
import { aftersIn, type EpochStart, isEpochLine, limitsOf, readEpochLine } from "./stretch.ts";
import { fingerprintOf } from "./key.ts";
import { genesisOf, readLine, type SealedMovement } from "./line.ts";
import { areSameBooks } from "./movement.ts";
import type { Bad, Reason } from "./reason.ts";
import { createReplay, type Replay } from "./replay.ts";

export interface Audit {
  /** Absent when all is well. */
  readonly bad: Bad | undefined;
  /** As far as it was well. */
  readonly replay: Replay;
  readonly lastNo: number;
  readonly hash: string;
  /** atMs of the first and last movement. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly signedNo: number;
  readonly lastCheckpoint: Checkpoint | undefined;
  readonly checkpoints: number;
  readonly segments: number;
  /** Movements whose viewer and hold were taken out. */
  readonly redacted: number;
  /** Failovers, in order. */
  readonly epochs: readonly Pick<EpochStart, "epoch" | "after" | "annulled" | "atMs">[];
  /** The last line is being written, or was cut short by a crash; it does not count. */
  readonly isUnfinished: boolean;
}

export interface AuditPorts {
  readonly show: string;
  /** Who must have signed; without it any one key will do. */
  readonly publicKey?: string | undefined;
  /** Of the epochs that are to come, so that what they annul need not be undone. */
  readonly afters?: readonly number[];
}

/** The files of a show. @param folder of this show */
export async function auditFolder(folder: string, ports: AuditPorts): Promise<Audit> {
  const auditor = createAuditor({ ...ports, afters: await aftersIn(folder) });
  const segments = segmentsIn(folder).length;
  // Checkpoints first: one that comes while we read vouches for lines that we have not seen.
  for await (const lines of linesOf(folder, CHECKPOINTS))
    for (const line of lines) auditor.expect(line);
  for await (const lines of linesOfShow(folder))
    for (const line of lines) if (!auditor.read(line)) return auditor.end(segments);
  return auditor.end(segments);
}

export interface Auditor {
  /** A checkpoint, to be held against the chain when it gets there. */
  expect(line: Line): void;
  /** The next line of the chain, or a checkpoint in its place. @returns false when something is wrong */
  read(line: Line): boolean;
  end(segments: number): Audit;
}

export function createAuditor({ show, publicKey, afters = [] }: AuditPorts): Auditor {
  const replay = createReplay();
  const limits = limitsOf(afters);
  const epochs: EpochStart[] = [];
  /** By the hash that they sign. */
  const due = new Map<string, readonly [Checkpoint, Line][]>();
  let key = publicKey;
  let bad: Bad | undefined;
  /** What is wrong with a checkpoint; told where nothing before it is wrong. */
  let badCheckpoint: Bad | undefined;
  let at = { no: 0, hash: genesisOf(show) };
  let lastCheckpoint: Checkpoint | undefined;
  let checkpoints = 0;
  let redacted = 0;
  let fromMs = 0;
  let untilMs = 0;
  let isUnfinished = false;

  const fail = (reason: Reason, { file, line }: Line, no: number): false => {
    bad ??= { ...reason, file, line, no };
    return false;
  };
  const follows = (read: SealedMovement): Reason | undefined => {
    if (read.no !== at.no + 1) return numberBreak(read.no, at.no + 1);
    if (read.prev !== at.hash) return CHAIN_BREAK;
    return counts(read.no) ? replay.apply(read) : undefined;
  };
  /** Not annulled by an epoch that comes later. */
  const counts = (no: number): boolean => no <= (limits[epochs.length] ?? Infinity);
  const readEpoch = (line: Line): boolean => {
    const read = readEpochLine(line.text);
    if ("en" in read) return fail(read, line, at.no + 1);
    if (read.prev !== at.hash) return fail(CHAIN_BREAK, line, at.no + 1);
    if (read.after > at.no || read.annulled !== at.no - read.after)
      return fail(numberBreak(read.after, at.no), line, at.no + 1);
    epochs.push(read);
    at = { no: read.after, hash: read.hash };
    if (counts(at.no) && !hasBooks(read.drops)) return fail(OTHER_EPOCH_BOOKS, line, at.no);
    return allStand(read.hash);
  };
  const hasBooks = (drops: Checkpoint["drops"]): boolean =>
    drops.size === replay.drops.size &&
    [...replay.drops].every(([dropId, { books }]) => {
      const named = drops.get(dropId);
      return named !== undefined && areSameBooks(books, named);
    });
  /** Checkpoints that sign this hash. */
  const allStand = (hash: string): boolean => {
    for (const [checkpoint, place] of due.get(hash) ?? [])
      if (!stands(checkpoint, place)) return false;
    due.delete(hash);
    return true;
  };
  const readMovement = (line: Line): boolean => {
    const no = at.no + 1;
    const read = readLine(line.text, show);
    if ("en" in read) return fail(read, line, no);
    const why = follows(read);
    if (why !== undefined) return fail(why, line, no);
    at = { no, hash: read.hash };
    if (read.hold !== "" && read.holdId === "") redacted++;
    if (no === 1) fromMs = read.atMs;
    untilMs = read.atMs;
    return allStand(read.hash);
  };
  /** The chain has got to where this checkpoint is. */
  const stands = (checkpoint: Checkpoint, place: Line): boolean => {
    const why = contradiction(checkpoint);
    if (why !== undefined) return fail(why, place, checkpoint.no);
    checkpoints++;
    lastCheckpoint = checkpoint;
    return true;
  };
  const contradiction = (checkpoint: Checkpoint): Reason | undefined => {
    if (checkpoint.hash !== at.hash) return OTHER_CHAIN;
    if (checkpoint.no !== at.no) return OTHER_CHAIN;
    if (counts(at.no) && !hasBooks(checkpoint.drops)) return OTHER_BOOKS;
    return undefined;
  };
  const checked = (line: Line): Checkpoint | Reason => {
    const read = readCheckpoint(line.text);
    if ("en" in read) return read;
    if (read.show !== show) return OTHER_SHOW;
    key ??= read.publicKey;
    return read.publicKey === key ? read : otherKey(read.publicKey, key);
  };
  /** A checkpoint that the chain never came to. */
  const failMissing = (no: number, place: Line): void => {
    if (no > at.no) fail(endsBefore(no, at.no), place, at.no + 1);
    else fail(OTHER_CHAIN, place, no);
  };
  return {
    expect(line) {
      if (!line.isWhole) {
        isUnfinished = true;
        return;
      }
      const read = checked(line);
      if ("en" in read) badCheckpoint ??= { ...read, file: line.file, line: line.line };
      else due.set(read.hash, [...(due.get(read.hash) ?? []), [read, line]]);
    },
    read(line) {
      if (!line.isWhole && !isComplete(line.text)) {
        isUnfinished = true;
        return true;
      }
      if (!line.isWhole) return fail(NO_LINE_END, line, at.no + 1);
      if (isEpochLine(line.text)) return readEpoch(line);
      if (!isCheckpoint(line.text)) return readMovement(line);
      const read = checked(line);
      if ("en" in read) return fail(read, line, at.no);
      return read.no === at.no ? stands(read, line) : fail(OTHER_CHAIN, line, at.no);
    },
    end(segments) {
      const missing = [...due.values()].flat()[0];
      if (bad === undefined && missing !== undefined && badCheckpoint === undefined)
        failMissing(missing[0].no, missing[1]);
      return {
        bad: bad ?? badCheckpoint,
        replay,
        lastNo: at.no,
        hash: at.hash,
        fromMs,
        untilMs,
        signedNo: lastCheckpoint?.no ?? 0,
        lastCheckpoint,
        checkpoints,
        segments,
        redacted,
        epochs,
        isUnfinished,
      };
    },
  };
}

/** A line that a crash cut short has not got its end. */
const isComplete = (text: string): boolean => /(?<!\\)"\}./s.test(text);

const CHAIN_BREAK: Reason = {
  en: "it does not follow the hash of the entry before",
  zh: "与上一条的哈希不相接",
};
const OTHER_CHAIN: Reason = {
  en: "this checkpoint was signed for another chain",
  zh: "检查点所签的是另一条链",
};
const OTHER_BOOKS: Reason = {
  en: "this checkpoint was signed for other books",
  zh: "检查点所签的账目不同",
};
const OTHER_EPOCH_BOOKS: Reason = {
  en: "this epoch begins with other books than the ledger has there [I6]",
  zh: "该纪元开头的账目与账本不符 [I6]",
};
const OTHER_SHOW: Reason = {
  en: "this checkpoint is of another show",
  zh: "检查点属于另一场次",
};
const NO_LINE_END: Reason = { en: "the line has no end", zh: "此行没有换行符" };

const numberBreak = (is: number, due: number): Reason => ({
  en: `it has number ${is}, due is ${due}`,
  zh: `编号为 ${is}，应为 ${due}`,
});

const endsBefore = (signedNo: number, lastNo: number): Reason => ({
  en: `a checkpoint vouches for entry ${signedNo}, but the ledger ends with ${lastNo}`,
  zh: `检查点担保到第 ${signedNo} 条，但账本止于第 ${lastNo} 条`,
});

const otherKey = (is: string, due: string): Reason => ({
  en: `signed with the key ${fingerprintOf(is)}, due is ${fingerprintOf(due)}`,
  zh: `签名公钥为 ${fingerprintOf(is)}，应为 ${fingerprintOf(due)}`,
});

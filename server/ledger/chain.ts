/**
 * One show's ledger files, written: appends movements as sealed lines, begins a new segment when one is full, signs checkpoints.
 * Opening it again after a crash at any byte goes on exactly where the last whole line ends: what follows is cut, to be read from
 * Redis again. Only what no checkpoint vouches for is ever cut; damage before that is a `LedgerDamage`, and nothing is touched.
 * Where lines and segments end depends on nothing but the movements, so files written twice are the same to the byte.
 * Order on disk: lines, fsync, checkpoint, fsync, next segment. Call one method at a time; after one has thrown, close and open anew.
 */
import { mkdirSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { writeCheckpoint } from "./checkpoint.ts";
import { CHECKPOINTS, segmentName } from "./files.ts";
import type { LedgerKey } from "./key.ts";
import { createSealer } from "./line.ts";
import { type Books, booksOf, type Movement } from "./movement.ts";
import { findEnd } from "./resume.ts";
import { type EpochStart, sealEpoch } from "./stretch.ts";

export interface ChainLimits {
  /** A segment ends before the line that would make it larger. */
  readonly maxSegmentBytes: number;
  /** A checkpoint after so many movements, or after so long, whichever comes first. */
  readonly checkpointMovements: number;
  readonly checkpointMs: number;
}

export const CHAIN_LIMITS: ChainLimits = {
  maxSegmentBytes: 16 * 1024 * 1024,
  checkpointMovements: 10_000,
  checkpointMs: 5000,
};

export interface ChainPorts {
  /** Of this show. */
  readonly folder: string;
  readonly show: string;
  /** Of the show's log, for files that do not know theirs yet. */
  readonly epoch: string;
  readonly key: LedgerKey;
  readonly limits: ChainLimits;
  /** ms since 1970, for `atMs` of checkpoints. */
  readonly now: () => number;
}

export interface Chain {
  /** The newest movement in the files. */
  readonly last: Movement | undefined;
  readonly lastNo: number;
  readonly signedNo: number;
  /** The history that the files tell. */
  readonly epoch: string;
  /** Bytes that were cut off when it was opened. */
  readonly cutBytes: number;
  /** Writes what comes after `lastNo`; on disk for sure after `commit`. */
  append(movements: readonly Movement[]): Promise<void>;
  /** Goes on in a segment of its own with another history, which has in common what comes up to `after`. On disk and signed. */
  beginEpoch(start: EpochStart): Promise<void>;
  /** Flushes to disk, and signs when a checkpoint is due. */
  commit(): Promise<void>;
  /** Signs what is unsigned and closes the files. */
  close(): Promise<void>;
  /** Closes the files and does nothing else: after a fault. */
  abandon(): Promise<void>;
}

/** @throws LedgerDamage when files cannot be gone on with */
export async function openChain(ports: ChainPorts): Promise<Chain> {
  const { folder, key, limits, now, show } = ports;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const end = await findEnd(folder, show);
  const seal = createSealer(show, key.saltSecret);
  const drops = new Map<string, Books>(end.drops);
  let epoch = end.epoch === "" ? ports.epoch : end.epoch;
  let { hash, last, lastNo, signedNo, segment, segmentBytes } = end;
  // The first commit signs.
  let signedAtMs = Number.NEGATIVE_INFINITY;
  let isDirty = false;
  const checkpoints = await openFile(folder, CHECKPOINTS, end.checkpointBytes);
  let file = checkpoints;
  const abandon = async (): Promise<void> => {
    // What is not on disk by now is written again: an error here changes nothing.
    await Promise.allSettled([file.close(), checkpoints.close()]);
  };
  const openSegment = async (): Promise<void> => {
    try {
      file = await openFile(folder, segmentName(segment), segmentBytes);
      await syncFolder(folder);
    } catch (fault) {
      await abandon();
      throw fault;
    }
  };
  await openSegment();

  const flush = async (): Promise<void> => {
    if (isDirty) await file.datasync();
    isDirty = false;
  };
  const sign = async (): Promise<void> => {
    await flush();
    signedAtMs = now();
    const line = writeCheckpoint({ show, no: lastNo, hash, epoch, atMs: signedAtMs, drops }, key);
    await checkpoints.appendFile(`${line}\n`);
    await checkpoints.datasync();
    signedNo = lastNo;
  };
  const write = async (text: string): Promise<void> => {
    if (text === "") return;
    isDirty = true;
    await file.appendFile(text);
  };
  const nextSegment = async (): Promise<void> => {
    if (signedNo < lastNo) await sign();
    await file.close();
    segment++;
    segmentBytes = 0;
    await openSegment();
  };
  return {
    cutBytes: end.cutBytes,
    abandon,
    get last() {
      return last;
    },
    get lastNo() {
      return lastNo;
    },
    get signedNo() {
      return signedNo;
    },
    get epoch() {
      return epoch;
    },
    async beginEpoch(start) {
      if (segmentBytes > 0) await nextSegment();
      const line = sealEpoch(start, hash);
      await write(`${line.text}\n`);
      segmentBytes = Buffer.byteLength(line.text) + 1;
      ({ epoch, after: lastNo } = start);
      hash = line.hash;
      last = undefined;
      drops.clear();
      for (const [dropId, books] of start.drops) drops.set(dropId, booksOf(books));
      await sign();
    },
    async append(movements) {
      let text = "";
      for (const movement of movements) {
        if (movement.no !== lastNo + 1) throw new Error(`${movement.no} comes after ${lastNo}`);
        const line = seal(movement, hash);
        const bytes = Buffer.byteLength(line.text) + 1;
        if (segmentBytes > 0 && segmentBytes + bytes > limits.maxSegmentBytes) {
          await write(text);
          text = "";
          await nextSegment();
        }
        text += `${line.text}\n`;
        segmentBytes += bytes;
        hash = line.hash;
        last = movement;
        lastNo = movement.no;
        drops.set(movement.dropId, booksOf(movement));
      }
      await write(text);
    },
    async commit() {
      await flush();
      const unsigned = lastNo - signedNo;
      const isDue =
        unsigned >= limits.checkpointMovements || now() - signedAtMs >= limits.checkpointMs;
      if (unsigned > 0 && isDue) await sign();
    },
    async close() {
      if (signedNo < lastNo) await sign();
      await abandon();
    },
  };
}

/** For appending, cut to so many bytes. */
async function openFile(folder: string, name: string, bytes: number): Promise<FileHandle> {
  const file = await open(join(folder, name), "a", 0o600);
  try {
    const { size } = await file.stat();
    if (size > bytes) {
      await file.truncate(bytes);
      await file.sync();
    }
    return file;
  } catch (fault) {
    await file.close();
    throw fault;
  }
}

/** So that a new file's name is on disk too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Finds where a show's ledger files end, so that writing can go on there. Reads the last segment and the checkpoints only: a segment
 * is begun after the one before it was signed, so a checkpoint says what the books were then. Changes nothing.
 */
import { type Checkpoint, readCheckpoint } from "./checkpoint.ts";
import { CHECKPOINTS, lastLineOf, linesOf, segmentName, segmentsIn } from "./files.ts";
import { genesisOf, readLine } from "./line.ts";
import { type Books, booksOf, type Movement } from "./movement.ts";
import { isEpochLine, readEpochLine } from "./stretch.ts";

export interface LedgerEnd {
  readonly last: Movement | undefined;
  readonly lastNo: number;
  readonly hash: string;
  readonly drops: ReadonlyMap<string, Books>;
  readonly signedNo: number;
  /** The history that the files tell; "" while nothing is signed. */
  readonly epoch: string;
  /** Number of the last segment, and the bytes of it that stand. */
  readonly segment: number;
  readonly segmentBytes: number;
  readonly checkpointBytes: number;
  /** What follows the bytes that stand, in both files. */
  readonly cutBytes: number;
}

/** Files that must not be gone on with: something that a checkpoint vouches for is not there, or is not what it was. */
export class LedgerDamage extends Error {
  override readonly name = "LedgerDamage";
}

/** @throws LedgerDamage */
export async function findEnd(folder: string, show: string): Promise<LedgerEnd> {
  const signed = await readCheckpoints(folder, show);
  const file = segmentsIn(folder).at(-1) ?? segmentName(1);
  const segment = Number.parseInt(file, 10);
  const base =
    segment === 1 ? beginning(show) : await endOf(segmentName(segment - 1), folder, show, signed);
  const { at, segmentBytes, cutBytes, why, hashes, epoch } = await follow(base, folder, file, show);
  const { last } = signed;
  const missing = last === undefined || hashes.has(last.hash) ? undefined : last;
  // A segment is begun after the one before it was signed: what is signed lies in the last one, or right before it.
  if (missing !== undefined)
    throw damage(missing.no, at.no, why ?? `${file} ends at movement ${at.no}`);
  return {
    last: at.last,
    lastNo: at.no,
    hash: at.hash,
    drops: at.drops,
    signedNo: Math.min(last?.no ?? 0, at.no),
    epoch: epoch ?? last?.epoch ?? "",
    segment,
    segmentBytes,
    checkpointBytes: signed.bytes,
    cutBytes: cutBytes + signed.cutBytes,
  };
}

const damage = (signedNo: number, no: number, why: string): LedgerDamage =>
  new LedgerDamage(
    no < signedNo
      ? `${why}, but a checkpoint vouches for ${signedNo}`
      : `movement ${signedNo} is not the one that was signed`,
  );

/** A place in the chain, and the books there. */
interface Place {
  readonly no: number;
  readonly hash: string;
  readonly drops: Map<string, Books>;
  readonly last: Movement | undefined;
}

const beginning = (show: string): Place => ({
  no: 0,
  hash: genesisOf(show),
  drops: new Map(),
  last: undefined,
});

/** The end of a full segment; it was signed before the next was begun. */
async function endOf(file: string, folder: string, show: string, { all }: Signed): Promise<Place> {
  const text = await lastLineOf(folder, file);
  const read = isEpochLine(text) ? readEpochLine(text) : readLine(text, show);
  if ("en" in read) throw new LedgerDamage(`the last line of ${file}: ${read.en}`);
  const { hash } = read;
  const [no, last] = "after" in read ? [read.after, undefined] : [read.no, read];
  const drops = all.get(hash)?.drops;
  if (drops === undefined)
    throw new LedgerDamage(`the checkpoint at the end of ${file} is missing`);
  return { no, hash, drops: new Map(drops), last };
}

/** @returns undefined when the line does not follow from the place */
function placeAfter(
  at: Place,
  text: string,
  show: string,
): { readonly place: Place; readonly epoch?: string } | undefined {
  if (isEpochLine(text)) {
    const start = readEpochLine(text);
    if ("en" in start || start.prev !== at.hash) return undefined;
    const { after, hash, drops, epoch } = start;
    return { place: { no: after, hash, drops: new Map(drops), last: undefined }, epoch };
  }
  const read = readLine(text, show);
  if ("en" in read || read.no !== at.no + 1 || read.prev !== at.hash) return undefined;
  const { no, hash, dropId } = read;
  return { place: { no, hash, drops: at.drops.set(dropId, booksOf(read)), last: read } };
}

interface Followed {
  readonly at: Place;
  readonly segmentBytes: number;
  readonly cutBytes: number;
  /** What is wrong with the first line that does not follow. */
  readonly why: string | undefined;
  /** Of all lines that were followed, and of the one before. */
  readonly hashes: ReadonlySet<string>;
  /** Of the segment, if it begins one. */
  readonly epoch: string | undefined;
}

/** Reads on from a place, for as long as each line follows from the one before. */
async function follow(base: Place, folder: string, file: string, show: string): Promise<Followed> {
  let at = base;
  let epoch: string | undefined;
  const hashes = new Set([base.hash]);
  let segmentBytes = 0;
  let cutBytes = 0;
  let why: string | undefined;
  for await (const lines of linesOf(folder, file))
    for (const { text, isWhole, bytes, line } of lines) {
      const next = isWhole && why === undefined ? placeAfter(at, text, show) : undefined;
      if (next !== undefined) {
        at = next.place;
        epoch = next.epoch ?? epoch;
        hashes.add(at.hash);
        segmentBytes += bytes;
      } else {
        why ??= `line ${line} of ${file} is damaged`;
        cutBytes += bytes;
      }
    }
  return { at, segmentBytes, cutBytes, why, hashes, epoch };
}

interface Signed {
  /** By the hash that they sign. */
  readonly all: ReadonlyMap<string, Checkpoint>;
  readonly last: Checkpoint | undefined;
  readonly bytes: number;
  readonly cutBytes: number;
}

/** All checkpoints; a last one that a crash cut short does not count. */
async function readCheckpoints(folder: string, show: string): Promise<Signed> {
  const all = new Map<string, Checkpoint>();
  let last: Checkpoint | undefined;
  let bytes = 0;
  let cutBytes = 0;
  for await (const lines of linesOf(folder, CHECKPOINTS))
    for (const { text, isWhole, line, bytes: length } of lines) {
      const read = readCheckpoint(text);
      if (!isWhole) {
        cutBytes += length;
      } else if ("en" in read || read.show !== show) {
        throw new LedgerDamage(`line ${line} of ${CHECKPOINTS} is not a checkpoint of ${show}`);
      } else {
        all.set(read.hash, read);
        last = read;
        bytes += length;
      }
    }
  return { all, last, bytes, cutBytes };
}

/** Number of the movement that the newest checkpoint of these files vouches for; 0 when it cannot be read. Reads one line. */
export async function signedNoOf(folder: string): Promise<number> {
  const read = readCheckpoint(await lastLineOf(folder, CHECKPOINTS));
  return "en" in read ? 0 : read.no;
}

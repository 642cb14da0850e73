/**
 * A ledger goes on after a failover: the new primary may lack the last movements of the lost one, which are in the files already,
 * and hashes and signatures stand on them. So nothing is taken out. A new segment begins with one line, signed like all others:
 *
 *     {"dropcast":"ledger epoch 1","epoch":…,"after":N,"annulled":M,"atMs":…,"drops":{dropId:{the six books}…},"prev":"H","hash":"H"}
 *
 * Movements after N of the stretches before it, M of them, were of a history that has ended without them; what follows continues
 * from N, with the books that are named. `hash` is SHA-256 of the bytes before `,"hash"`, `prev` the hash of the line before.
 */
import { hash } from "node:crypto";
import { type Line, linesOf, segmentsIn } from "./files.ts";
import { BOOK_FIELDS, type Books, booksOf } from "./movement.ts";
import type { Reason } from "./reason.ts";

export interface EpochStart {
  readonly epoch: string;
  /** Number of the last movement that both histories have; 0: none. */
  readonly after: number;
  /** Movements of the lost history that are in the files. */
  readonly annulled: number;
  /** By Redis TIME. */
  readonly atMs: number;
  /** After movement `after`, in the order of their first movement. */
  readonly drops: ReadonlyMap<string, Books>;
}

interface SealedEpoch extends EpochStart {
  readonly prev: string;
  readonly hash: string;
}

const START = `{"dropcast":"ledger epoch 1"`;

export const isEpochLine = (text: string): boolean => text.startsWith(START);

const sha256 = (text: string): string => hash("sha256", text, "hex");

const openPart = ({ epoch, after, annulled, atMs, drops, prev }: EpochStart & { prev: string }) =>
  `${START},"epoch":${JSON.stringify(epoch)},"after":${after},"annulled":${annulled},"atMs":${atMs},"drops":${JSON.stringify(
    Object.fromEntries([...drops].map(([dropId, books]) => [dropId, booksOf(books)])),
  )},"prev":"${prev}"`;

/** @returns the line without its line feed, and its hash */
export function sealEpoch(
  start: EpochStart,
  prev: string,
): { readonly text: string; readonly hash: string } {
  const open = openPart({ ...start, prev });
  const own = sha256(open);
  return { text: `${open},"hash":"${own}"}`, hash: own };
}

const LINE = /^(\{.*),"hash":"([0-9a-f]{64})"\}$/s;

/** Checks the line against itself. */
export function readEpochLine(text: string): SealedEpoch | Reason {
  const [, open = "", own = ""] = LINE.exec(text) ?? [];
  if (!isEpochLine(text) || sha256(open) !== own) return NOT_AN_EPOCH;
  const read = parsed(`${open}}`);
  return read !== undefined && openPart(read) === open ? { ...read, hash: own } : NOT_AN_EPOCH;
}

function parsed(json: string): Omit<SealedEpoch, "hash"> | undefined {
  try {
    const { drops, ...rest } = JSON.parse(json) as Omit<SealedEpoch, "hash" | "drops"> & {
      readonly drops: Readonly<Record<string, Books>>;
    };
    const read = { ...rest, drops: new Map(Object.entries(drops)) };
    const isWhole =
      [read.after, read.annulled, read.atMs].every(Number.isSafeInteger) &&
      typeof read.epoch === "string" &&
      [...read.drops.values()].every((books) =>
        BOOK_FIELDS.every((name) => Number.isSafeInteger(books[name])),
      );
    return isWhole ? read : undefined;
  } catch {
    // Not JSON, or not of this shape: the caller says so.
    return undefined;
  }
}

/** For each stretch, the number of its last movement that still counts. */
export function limitsOf(afters: readonly number[]): readonly number[] {
  const limits = [...afters, Infinity];
  for (let i = limits.length - 2; i >= 0; i--)
    limits[i] = Math.min(limits[i] as number, limits[i + 1] as number);
  return limits;
}

/** `after` of every epoch line of a show's files, in order. Reads the first line of each segment. */
export async function aftersIn(folder: string): Promise<readonly number[]> {
  const afters: number[] = [];
  for (const segment of segmentsIn(folder)) {
    const first = await firstLineOf(folder, segment);
    const read = first === undefined ? undefined : readEpochLine(first.text);
    if (read !== undefined && "after" in read) afters.push(read.after);
  }
  return afters;
}

async function firstLineOf(folder: string, segment: string): Promise<Line | undefined> {
  for await (const [first] of linesOf(folder, segment)) return first;
  return undefined;
}

const NO = /^\{"no":(\d+)/;

/** The lines of a show's movements that count, in order: what a ledger without any failover consists of. */
export async function* standingLines(folder: string): AsyncGenerator<readonly Line[]> {
  const limits = limitsOf(await aftersIn(folder));
  let stretch = 0;
  for (const segment of segmentsIn(folder))
    for await (const lines of linesOf(folder, segment)) {
      if (isEpochLine(lines[0]?.text ?? "")) stretch++;
      const limit = limits[stretch] ?? Infinity;
      const counts = ({ text }: Line): boolean =>
        !isEpochLine(text) && Number(NO.exec(text)?.[1] ?? 0) <= limit;
      yield stretch === 0 && limit === Infinity ? lines : lines.filter(counts);
    }
}

const NOT_AN_EPOCH: Reason = {
  en: "this is not the beginning of an epoch, or not what it was",
  zh: "此行不是纪元开头，或已被改动",
};

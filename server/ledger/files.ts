/**
 * Where ledgers lie and how their files are read: `<DATA_DIR>/ledger/<show>/000001.ndjson …` (movements) and `checkpoints.ndjson`.
 * Read in pieces: a ledger may be larger than memory.
 */
import { createReadStream, readdirSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";

export const ledgerFolder = (dataDir: string): string => join(dataDir, "ledger");

/** Show ids name their folders; whatever else an id may hold, it cannot lead elsewhere. */
export const showFolder = (folder: string, show: string): string =>
  join(folder, encodeURIComponent(show).replaceAll(".", "%2E"));

export const CHECKPOINTS = "checkpoints.ndjson";

export const segmentName = (index: number): string => `${String(index).padStart(6, "0")}.ndjson`;

/** Names of a show's segments in order; none without a folder. */
export const segmentsIn = (folder: string): string[] =>
  namesIn(folder)
    .filter((name) => /^\d{6,}\.ndjson$/.test(name))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));

/** Shows that have a ledger here. */
export const showsIn = (folder: string): string[] =>
  namesIn(folder)
    .filter((name) => !name.startsWith("."))
    .map((name) => decodeURIComponent(name));

/** A file that is not there has no bytes. */
function none(error: NodeJS.ErrnoException): { readonly size: number } {
  if (error.code === "ENOENT") return { size: 0 };
  throw error;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

export interface Line {
  readonly file: string;
  /** From 1 on. */
  readonly line: number;
  readonly text: string;
  /** False for what follows the last line feed: a write that a crash cut short, or one under way. */
  readonly isWhole: boolean;
  /** With its line feed. */
  readonly bytes: number;
}

const LINE_FEED = 10;

/** Lines, many at a time. A file that is not there has none. @param file its name, for messages */
export async function* linesOf(folder: string, file: string): AsyncGenerator<readonly Line[]> {
  let rest: Buffer = Buffer.alloc(0);
  let count = 0;
  try {
    for await (const chunk of createReadStream(join(folder, file), { highWaterMark: 1 << 18 })) {
      const bytes = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
      const lines: Line[] = [];
      let start = 0;
      for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
        const text = bytes.toString("utf8", start, end);
        lines.push({ file, line: ++count, text, isWhole: true, bytes: end + 1 - start });
        start = end + 1;
      }
      rest = bytes.subarray(start);
      if (lines.length > 0) yield lines;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  if (rest.length > 0)
    yield [{ file, line: count + 1, text: rest.toString(), isWhole: false, bytes: rest.length }];
}

/** Longer than any line of a ledger: a checkpoint has about 120 bytes a drop. */
const MAX_LINE_BYTES = 1 << 20;

/** The last whole line of a file; "" without one. */
export async function lastLineOf(folder: string, file: string): Promise<string> {
  const { size } = await stat(join(folder, file)).catch(none);
  const start = Math.max(0, size - MAX_LINE_BYTES);
  let text = "";
  if (size > 0)
    for await (const chunk of createReadStream(join(folder, file), { start, encoding: "utf8" }))
      text += chunk as string;
  return text.split("\n").at(-2) ?? "";
}

/** All lines of a show's segments, in order. */
export async function* linesOfShow(folder: string): AsyncGenerator<readonly Line[]> {
  for (const segment of segmentsIn(folder)) yield* linesOf(folder, segment);
}

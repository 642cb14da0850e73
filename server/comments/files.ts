/**
 * Where a show's comments lie and how they are read: `<DATA_DIR>/comments/<show>/000001.<epoch>.ndjson …`, one comment a line, in the
 * order of their numbers; a new file when the show's log has begun anew. Read in pieces: a record may be larger than memory.
 */
import { mkdirSync, readdirSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { Role } from "#wire";
import { linesOf, showFolder } from "../ledger/files.ts";

/** A comment as it was accepted. */
export interface Recorded {
  readonly no: number;
  /** Redis TIME. */
  readonly atMs: number;
  readonly viewerId: string;
  readonly name: string;
  readonly role: Role;
  readonly text: string;
  /** Shown to its author alone. */
  readonly isHidden: boolean;
}

export const commentsFolder = (dataDir: string, show: string): string =>
  showFolder(join(dataDir, "comments"), show);

const NAME = /^(\d{6,})\.(.*)\.ndjson$/;

function filesIn(folder: string): { readonly name: string; readonly epoch: string }[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return readdirSync(folder)
    .filter((name) => NAME.test(name))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .map((name) => ({ name, epoch: NAME.exec(name)?.[2] ?? "" }));
}

export interface RecordFile {
  readonly lastNo: number;
  /** Skips what is there already. On disk when it resolves. */
  append(comments: readonly Recorded[]): Promise<void>;
  close(): Promise<void>;
}

/** Goes on where the newest file of this epoch ends; a line that a crash cut short is cut off. */
export async function openRecord(folder: string, epoch: string): Promise<RecordFile> {
  const files = filesIn(folder);
  const newest = files.at(-1);
  const name =
    newest?.epoch === epoch
      ? newest.name
      : `${String(files.length + 1).padStart(6, "0")}.${epoch}.ndjson`;
  let lastNo = 0;
  let bytes = 0;
  for await (const lines of linesOf(folder, name))
    for (const line of lines)
      if (line.isWhole) {
        lastNo = (JSON.parse(line.text) as Recorded).no;
        bytes += line.bytes;
      }
  const file: FileHandle = await open(join(folder, name), "a", 0o600);
  if ((await file.stat()).size > bytes) await file.truncate(bytes);
  return {
    get lastNo() {
      return lastNo;
    },
    async append(comments) {
      const fresh = comments.filter(({ no }) => no > lastNo);
      if (fresh.length === 0) return;
      await file.appendFile(fresh.map((comment) => `${JSON.stringify(comment)}\n`).join(""));
      await file.datasync();
      lastNo = fresh.at(-1)?.no ?? lastNo;
    },
    close: () => file.close(),
  };
}

/** Every recorded comment, a page at a time, then those of `rest` that had not been recorded. @param rest of this epoch */
export async function* everyComment(
  folder: string,
  epoch: string,
  rest: readonly Recorded[],
): AsyncGenerator<readonly Recorded[]> {
  let lastNo = 0;
  for (const file of filesIn(folder))
    for await (const lines of linesOf(folder, file.name)) {
      const page = lines
        .filter(({ isWhole }) => isWhole)
        .map(({ text }) => JSON.parse(text) as Recorded);
      if (file.epoch === epoch) lastNo = page.at(-1)?.no ?? lastNo;
      yield page;
    }
  yield rest.filter(({ no }) => no > lastNo);
}

/**
 * What this node has told buyers of drops of class `replica`, for the case that a promoted replica does not know: see recovery.ts.
 * Kept in memory, and in `DATA_DIR/journal/<node>.ndjson` for a node that dies in the same minute as the primary: one line per
 * change, written once per turn of the loop and not synced (the machine's own crash is what the replicas are for). Bounded: a record
 * goes after ten minutes, and the oldest go when there are too many. Holds pseudonymous viewer ids and keys, and no names.
 * A node that leaves for good (a deploy has put another in its place) leaves its journal to the others of the machine: the first
 * that looks takes it over.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { appendFile, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../log.ts";
import type { Part } from "../lifecycle.ts";

/** In this order: a record never goes back. decided: by Redis, and its buyer waits; ended: expired or cancelled. */
const STATES = ["decided", "told", "paid", "ended"] as const;
export type RecordState = (typeof STATES)[number];

export interface JournaledHold {
  readonly viewerId: string;
  readonly key: string;
  readonly dropId: string;
  readonly quantity: number;
  readonly coupons: readonly string[];
  readonly deadlineMs: number;
}

export interface JournalRecord extends JournaledHold {
  readonly state: RecordState;
  /** The history in which it is known to stand. */
  readonly epoch: string;
  readonly atMs: number;
}

export interface Journal extends Part {
  note(show: string, epoch: string, hold: JournaledHold, state: RecordState): void;
  /** What is noted so far is in the file, or has been reported as lost: survives this process, not its machine. */
  written(): Promise<void>;
  /** Has this hold a record? */
  knows(show: string, hold: Pick<JournaledHold, "viewerId" | "key">): boolean;
  /** After `stop`: leaves what is kept to whichever node of this machine takes it over. */
  leave(): void;
  /** With records. */
  readonly shows: () => Iterable<string>;
  /** Records that are not known to stand in this epoch, oldest first. */
  strangers(show: string, epoch: string): readonly JournalRecord[];
}

export interface JournalPorts {
  readonly dataDir: string;
  readonly node: string;
  readonly nowMs: () => number;
  readonly log: Logger;
}

export const KEEP_MS = 600_000;
const MAX_RECORDS = 200_000;
const FORGET_EVERY_MS = 30_000;
const ADOPT_EVERY_MS = 1000;

type Line = readonly [show: string, record: JournalRecord];

export function openJournal({ dataDir, node, nowMs, log }: JournalPorts): Journal {
  const folder = join(dataDir, "journal");
  const name = `${node.replaceAll(/[^\w.-]/g, "_")}.ndjson`;
  const file = join(folder, name);
  const shows = new Map<string, Map<string, JournalRecord>>();
  let size = 0;
  let lines: string[] = [];
  let writing: Promise<void> = Promise.resolve();
  let scheduled = false;

  const keep = (show: string, record: JournalRecord): void => {
    const records = shows.get(show) ?? new Map<string, JournalRecord>();
    const id = idOf(record);
    if (!records.delete(id)) size++;
    // Last in order of insertion is newest.
    shows.set(show, records.set(id, record));
  };
  const inTurn = (work: () => Promise<void>): void => {
    // Without the file the records in memory still stand, and so do the replicas.
    writing = writing
      .then(work)
      .catch((error: unknown) => log.error({ err: error }, "the journal cannot be written"));
  };
  const flush = (): void => {
    scheduled = false;
    if (lines.length === 0) return;
    const text = lines.join("");
    lines = [];
    inTurn(async () => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await appendFile(file, text, { mode: 0o600 });
    });
  };
  const write = (line: Line): void => {
    lines.push(`${JSON.stringify(line)}\n`);
    if (!scheduled) setImmediate(flush);
    scheduled = true;
  };
  const forget = (): void => {
    const fromMs = nowMs() - KEEP_MS;
    for (const [show, records] of shows) {
      for (const [id, { atMs }] of records) {
        if (atMs >= fromMs && size <= MAX_RECORDS) break;
        records.delete(id);
        size--;
      }
      if (records.size === 0) shows.delete(show);
    }
  };
  /** The file anew, without what is forgotten and overwritten. */
  const rewrite = async (): Promise<void> => {
    const all = [...shows].flatMap(([show, records]) =>
      [...records.values()].map((record) => `${JSON.stringify([show, record])}\n`),
    );
    await writeFile(`${file}.new`, all.join(""), { mode: 0o600 });
    await rename(`${file}.new`, file);
  };

  /** Takes over what other nodes have left. Whoever renames a file first has it, also over a crash. */
  const adopt = (): void => {
    const taken = join(folder, `adopting-${name}`);
    if (!existsSync(folder)) return;
    for (const left of readdirSync(folder).filter((each) => each.startsWith("left-"))) {
      try {
        renameSync(join(folder, left), taken);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") continue;
        throw error;
      }
      takeIn(taken);
    }
  };
  const takeIn = (taken: string): void => {
    if (!existsSync(taken)) return;
    for (const [show, record] of readLines(taken).lines) {
      const own = shows.get(show)?.get(idOf(record));
      if (own !== undefined && rank(own.state) >= rank(record.state)) continue;
      keep(show, record);
      write([show, record]);
    }
    flush();
    inTurn(async () => rmSync(taken, { force: true }));
  };

  const { lines: linesBefore, isTorn } = readLines(file);
  for (const [show, record] of linesBefore) keep(show, record);
  forget();
  if (isTorn || linesBefore.length > size) inTurn(rewrite);
  takeIn(join(folder, `adopting-${name}`));
  adopt();
  const adopting = setInterval(adopt, ADOPT_EVERY_MS);
  const forgetting = setInterval(() => {
    const sizeBefore = size;
    forget();
    if (size < sizeBefore) inTurn(rewrite);
  }, FORGET_EVERY_MS);

  return {
    name: "journal",
    note(show, epoch, hold, state) {
      const before = shows.get(show)?.get(idOf(hold));
      if (before !== undefined && rank(before.state) >= rank(state) && before.epoch === epoch)
        return;
      const record: JournalRecord = {
        ...hold,
        coupons: before?.coupons ?? hold.coupons,
        state: before !== undefined && rank(before.state) > rank(state) ? before.state : state,
        epoch,
        atMs: nowMs(),
      };
      keep(show, record);
      write([show, record]);
    },
    written() {
      flush();
      return writing;
    },
    knows: (show, hold) => shows.get(show)?.has(idOf(hold)) ?? false,
    shows: () => shows.keys(),
    strangers: (show, epoch) =>
      [...(shows.get(show)?.values() ?? [])].filter((record) => record.epoch !== epoch),
    async stop() {
      clearInterval(forgetting);
      clearInterval(adopting);
      if (lines.length > 0) flush();
      await writing;
    },
    leave() {
      if (existsSync(file)) renameSync(file, join(folder, `left-${name}`));
    },
  };
}

const rank = (state: RecordState): number => STATES.indexOf(state);

const idOf = ({ viewerId, key }: Pick<JournaledHold, "viewerId" | "key">): string =>
  `${viewerId}|${key}`;

/** A last line that was cut short by a crash is left out; nothing may be written behind it. */
function readLines(file: string): { readonly lines: readonly Line[]; readonly isTorn: boolean } {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { lines: [], isTorn: false };
    throw error;
  }
  const lines = text.split("\n");
  const rest = lines.pop();
  return { lines: lines.map((line) => JSON.parse(line) as Line), isTorn: rest !== "" };
}

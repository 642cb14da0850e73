/** Ledgers made up for tests: lawful random histories without Redis, files of them, and single flipped bits. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CHAIN_LIMITS, type ChainLimits, openChain } from "../../server/ledger/chain.ts";
import { segmentsIn } from "../../server/ledger/files.ts";
import { type LedgerKey, openLedgerKey } from "../../server/ledger/key.ts";
import { type Books, booksOf, type Movement } from "../../server/ledger/movement.ts";

const made: string[] = [];

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dropcast-ledger-"));
  made.push(folder);
  return folder;
}

export const removeFolders = (): void => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
};

export const newKey = (): LedgerKey => openLedgerKey(newFolder());

/** The same for the same seed: numbers from 0 to below `most`. */
export function dice(seed: number): (most: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (most) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
}

interface Drop {
  readonly dropId: string;
  books: Record<keyof Books, number>;
  isOver: boolean;
}
interface Hold {
  readonly drop: Drop;
  readonly viewerId: string;
  readonly holdId: string;
  readonly quantity: number;
  state: "held" | "sold" | "ended";
}

/** `count` movements that keep all the rules, over two drops. */
export function lawfulHistory(count: number, seed = 1): Movement[] {
  const roll = dice(seed);
  const out: Movement[] = [];
  const drops: Drop[] = [];
  const holds: Hold[] = [];
  const note = (kind: string, drop: Drop, quantity: number, hold?: Hold, cents = 0): void => {
    out.push({
      no: out.length + 1,
      atMs: 1_700_000_000_000 + out.length,
      kind,
      dropId: drop.dropId,
      quantity,
      cents,
      ...booksOf(drop.books),
      viewerId: hold?.viewerId ?? "",
      holdId: hold?.holdId ?? "",
    });
  };
  const allot = (dropId: string, units: number): void => {
    const books = {
      allotted: units,
      restocked: 0,
      available: units,
      held: 0,
      sold: 0,
      writtenOff: 0,
    };
    const drop = { dropId, books, isOver: false };
    drops.push(drop);
    note("allotted", drop, units);
  };
  const take = (kind: string, drop: Drop): void => {
    const quantity = 1 + roll(Math.min(3, drop.books.available));
    const hold: Hold = {
      drop,
      quantity,
      viewerId: `viewer-${roll(9)}`,
      holdId: `key-${holds.length}`,
      state: "held",
    };
    holds.push(hold);
    drop.books.available -= quantity;
    drop.books.held += quantity;
    note(kind, drop, quantity, hold);
  };
  const end = (hold: Hold): void => {
    const { drop, quantity } = hold;
    drop.books.held -= quantity;
    const kind = (["sold", "expired", "cancelled"] as const)[roll(3)] ?? "sold";
    if (kind === "sold") drop.books.sold += quantity;
    else if (drop.isOver) drop.books.writtenOff += quantity;
    else drop.books.available += quantity;
    hold.state = kind === "sold" ? "sold" : "ended";
    note(kind, drop, quantity, hold, kind === "sold" ? quantity * 4900 : 0);
  };
  const giveBack = (hold: Hold): void => {
    const { drop, quantity } = hold;
    drop.books.sold -= quantity;
    drop.books[drop.isOver ? "writtenOff" : "available"] += quantity;
    hold.state = "ended";
    note(drop.isOver ? "returnedAsLoss" : "returned", drop, quantity, hold, quantity * 4900);
  };
  const restock = (drop: Drop): void => {
    drop.books.restocked += 5;
    drop.books.available += 5;
    note("restocked", drop, 5);
  };
  const close = (drop: Drop, kind: string): void => {
    const left = drop.books.available;
    drop.books.available = 0;
    drop.books.writtenOff += left;
    drop.isOver = true;
    note(kind, drop, left);
  };
  allot("tea", 30);
  allot("茶-2", 10);
  while (out.length < count) {
    const drop = drops[roll(2)] as Drop;
    const held = holds.filter((hold) => hold.state === "held");
    const sold = holds.find((hold) => hold.state === "sold");
    const what = roll(40);
    if (what === 0 && out.length > count / 2 && !drop.isOver)
      close(drop, roll(2) ? "closed" : "voided");
    else if (what === 1 && sold !== undefined) giveBack(sold);
    else if (held.length > 0 && what % 2 === 0) end(held[roll(held.length)] as Hold);
    else if (!drop.isOver && drop.books.available > 0) take(what === 7 ? "offered" : "held", drop);
    else if (!drop.isOver) restock(drop);
    else if (held.length > 0) end(held[0] as Hold);
    else allotMore();
  }
  return out;

  /** Both drops are over and nothing is held. */
  function allotMore(): void {
    drops.shift();
    allot(`drop-${out.length}`, 20);
  }
}

export interface FiledLedger {
  readonly folder: string;
  readonly show: string;
  readonly key: LedgerKey;
  readonly movements: readonly Movement[];
}

/** Writes a history in batches, with small segments and frequent checkpoints. */
export async function fileLedger(
  movements: readonly Movement[],
  key: LedgerKey,
  limits: Partial<ChainLimits> = {},
): Promise<FiledLedger> {
  const folder = newFolder();
  const show = "demo";
  const chain = await openChain({
    folder,
    show,
    key,
    limits: { ...CHAIN_LIMITS, ...limits },
    now: () => 0,
  });
  for (let i = 0; i < movements.length; i += 7) {
    await chain.append(movements.slice(i, i + 7));
    await chain.commit();
  }
  await chain.close();
  return { folder, show, key, movements };
}

/** A copy to damage. */
export function copyOf(ledger: FiledLedger): string {
  const folder = newFolder();
  cpSync(ledger.folder, folder, { recursive: true });
  return folder;
}

/** All segments' bytes, one after the other. */
export const bytesOf = (folder: string): Buffer =>
  Buffer.concat(segmentsIn(folder).map((name) => readFileSync(join(folder, name))));

export function flip(path: string, position: number, bit: number): void {
  const bytes = readFileSync(path);
  bytes[position] = (bytes[position] as number) ^ (1 << bit);
  writeFileSync(path, bytes);
}

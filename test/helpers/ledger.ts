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
  const market = createMarket(roll);
  market.allot("tea", 30);
  market.allot("茶-2", 10);
  while (market.out.length < count) {
    const moves = possibleMoves(market, market.drops[roll(2)] as Drop, count);
    moves[roll(moves.length)]?.();
  }
  return market.out;
}

/** What may happen to a drop now, the usual more than once. */
function possibleMoves(market: Market, drop: Drop, count: number): readonly (() => void)[] {
  const { out } = market;
  const [held, sold] = market.of(drop);
  const moves: (() => void)[] = [];
  if (held !== undefined) moves.push(...times(8, () => market.end(held)));
  if (sold !== undefined) moves.push(() => market.giveBack(sold));
  if (drop.isOver)
    return moves.length > 0 ? moves : [() => market.replace(drop, `drop-${out.length}`)];
  if (drop.books.available > 0)
    moves.push(() => market.take(drop, "offered"), ...times(12, () => market.take(drop, "held")));
  if (drop.books.available < 3) moves.push(() => market.restock(drop));
  if (out.length > count / 2) moves.push(() => market.close(drop));
  return moves;
}

const times = (n: number, move: () => void): (() => void)[] =>
  Array.from({ length: n }, () => move);

type Market = ReturnType<typeof createMarket>;

/** Drops and holds, and every move of theirs written down. */
function createMarket(roll: (most: number) => number) {
  const out: Movement[] = [];
  const drops: Drop[] = [];
  const holds: Hold[] = [];
  const note = (kind: string, { dropId, books }: Drop, what: Partial<Movement>): void => {
    const blank = {
      cents: 0,
      discountCents: 0,
      coupons: "",
      viewerId: "",
      holdId: "",
      quantity: 0,
    };
    const no = out.length + 1;
    out.push({
      no,
      atMs: 1_700_000_000_000 + no,
      kind,
      dropId,
      ...booksOf(books),
      ...blank,
      ...what,
    });
  };
  const noteHold = (kind: string, hold: Hold, cents = 0): void => {
    const { drop, quantity, viewerId, holdId } = hold;
    note(kind, drop, { quantity, viewerId, holdId, cents });
  };
  const newDrop = (dropId: string, units: number): Drop => {
    const books = {
      allotted: units,
      restocked: 0,
      available: units,
      held: 0,
      sold: 0,
      writtenOff: 0,
    };
    const drop = { dropId, books, isOver: false };
    note("allotted", drop, { quantity: units });
    return drop;
  };
  return {
    out,
    drops,
    allot: (dropId: string, units: number) => drops.push(newDrop(dropId, units)),
    replace(old: Drop, dropId: string): void {
      drops[drops.indexOf(old)] = newDrop(dropId, 20);
    },
    /** One hold that is open, and one that is sold. */
    of(drop: Drop): readonly [Hold | undefined, Hold | undefined] {
      const open = holds.filter((hold) => hold.drop === drop && hold.state === "held");
      const sold = holds.find((hold) => hold.drop === drop && hold.state === "sold");
      return [open[roll(Math.max(1, open.length))], sold];
    },
    take(drop: Drop, kind: string): void {
      const quantity = 1 + roll(Math.min(3, drop.books.available));
      const holdId = `key-${holds.length}`;
      const hold: Hold = { drop, quantity, viewerId: `viewer-${roll(9)}`, holdId, state: "held" };
      holds.push(hold);
      drop.books.available -= quantity;
      drop.books.held += quantity;
      noteHold(kind, hold);
    },
    end(hold: Hold): void {
      const { drop, quantity } = hold;
      const kind = (["sold", "expired", "cancelled"] as const)[roll(3)] ?? "sold";
      drop.books.held -= quantity;
      drop.books[kind === "sold" ? "sold" : drop.isOver ? "writtenOff" : "available"] += quantity;
      hold.state = kind === "sold" ? "sold" : "ended";
      noteHold(kind, hold, kind === "sold" ? quantity * 4900 : 0);
    },
    giveBack(hold: Hold): void {
      const { drop, quantity } = hold;
      drop.books.sold -= quantity;
      drop.books[drop.isOver ? "writtenOff" : "available"] += quantity;
      hold.state = "ended";
      noteHold(drop.isOver ? "returnedAsLoss" : "returned", hold, quantity * 4900);
    },
    restock(drop: Drop): void {
      drop.books.restocked += 5;
      drop.books.available += 5;
      note("restocked", drop, { quantity: 5 });
    },
    close(drop: Drop): void {
      const quantity = drop.books.available;
      drop.books.available = 0;
      drop.books.writtenOff += quantity;
      drop.isOver = true;
      note(roll(2) === 0 ? "closed" : "voided", drop, { quantity });
    },
  };
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
    epoch: "e1",
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
export function copyOf(ledger: Pick<FiledLedger, "folder">): string {
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

export const linesIn = (folder: string, file: string): string[] =>
  readFileSync(join(folder, file), "utf8").trimEnd().split("\n");

export const writeLines = (folder: string, file: string, lines: readonly string[]): void =>
  writeFileSync(join(folder, file), lines.map((line) => `${line}\n`).join(""));

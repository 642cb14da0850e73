/** Reads a show's ledger and checks the books' rules on it, line by line, without trusting the live state. */
import type { Redis } from "ioredis";
import { expect } from "vitest";
import { rawOf } from "#wire";
import { showKeys } from "../../server/redis/keys.ts";

export interface Movement {
  readonly no: number;
  readonly atMs: number;
  readonly kind: string;
  readonly dropId: string;
  /** `viewerId|key`, or empty. */
  readonly field: string;
  readonly quantity: number;
  readonly cents: number;
  readonly books: Books;
}

export interface Books {
  allotted: number;
  restocked: number;
  available: number;
  held: number;
  sold: number;
  writtenOff: number;
}

export interface LiveDrop {
  readonly dropId: string;
  readonly sku: string;
  readonly state: string;
  readonly allotment: number;
  readonly perBuyerLimit: number;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  readonly restocked: number;
  readonly writtenOff: number;
  readonly restockEpoch: number;
  readonly version: number;
}

/** Movements that take units for a buyer. */
const TAKES: readonly string[] = ["held", "offered", "reheld"];

export async function readLedger(redis: Redis, show: string): Promise<Movement[]> {
  const entries = await redis.xrangeBuffer(showKeys(show).ledger, "-", "+");
  return entries.flatMap(([id, fields]) => {
    const first = Number.parseInt(id.toString(), 10);
    return (rawOf(fields[1] as Buffer) as Raw[])
      .flatMap(spread)
      .map(([atMs, kind, dropId, field, quantity, cents, ...books], i) => ({
        no: first + i,
        atMs,
        kind,
        dropId,
        field: field as string,
        quantity,
        cents,
        books: booksOf(books),
      }));
  });
}

type Raw = [
  ...[atMs: number, kind: string, dropId: string, field: string | string[]],
  ...[quantity: number, cents: number, ...books: number[]],
];

/** A run of holds, with the books after its last one, as one movement each. */
function spread(raw: Raw): Raw[] {
  const [atMs, kind, dropId, fields, quantity, cents, ...books] = raw;
  if (typeof fields === "string") return [raw];
  expect(kind, "only holds come in runs").toBe("held");
  return fields.map((field, i) => {
    const [allotted = 0, restocked = 0, available = 0, held = 0, ...rest] = books;
    const later = quantity * (fields.length - 1 - i);
    const own = [allotted, restocked, available + later, held - later, ...rest];
    return [atMs, kind, dropId, field, quantity, cents, ...own];
  });
}

const booksOf = ([
  allotted,
  restocked,
  available,
  held,
  sold,
  writtenOff,
]: readonly number[]): Books =>
  ({ allotted, restocked, available, held, sold, writtenOff }) as Books;

export const liveDrops = async (redis: Redis, show: string): Promise<LiveDrop[]> =>
  (await redis.hvals(showKeys(show).drops)).map((json) => JSON.parse(json) as LiveDrop);

/** Units that each viewer of each drop holds or has bought, by the ledger: `dropId|viewerId` → units, without zeros. */
export function boughtBy(ledger: readonly Movement[]): Map<string, number> {
  const bought = new Map<string, number>();
  for (const { kind, dropId, field, quantity } of ledger) {
    const sign = TAKES.includes(kind) ? 1 : kind === "expired" || kind === "cancelled" ? -1 : 0;
    const buyer = `${dropId}|${field.slice(0, field.indexOf("|"))}`;
    if (sign !== 0) bought.set(buyer, (bought.get(buyer) ?? 0) + sign * quantity);
  }
  return new Map([...bought].filter(([, units]) => units !== 0));
}

/**
 * Replays the ledger. @throws (by expect) at the first line that breaks a rule
 * @param plannedEndMs where drops may be closed early: that moves their end to the very ms of their last holds
 */
export function checkLedger(
  ledger: readonly Movement[],
  live: readonly LiveDrop[],
  plannedEndMs?: number,
): void {
  ledger.forEach(({ no }, i) => expect(no, "[I6] no line is missing").toBe(i + 1));
  for (const drop of live) {
    const lines = ledger.filter((line) => line.dropId === drop.dropId);
    const books = { allotted: 0, restocked: 0, available: 0, held: 0, sold: 0, writtenOff: 0 };
    const bought = new Map<string, number>();
    let isClosed = false;
    for (const line of lines) {
      const { allotted, restocked, available, held, sold, writtenOff } = line.books;
      expect(available + held + sold + writtenOff, "[I1] the books balance").toBe(
        allotted + restocked,
      );
      expect(held + sold, "[I2] no unit twice").toBeLessThanOrEqual(allotted + restocked);
      expect(
        Math.min(available, held, sold, writtenOff),
        "[I1] nothing is negative",
      ).toBeGreaterThanOrEqual(0);
      if (TAKES.includes(line.kind)) {
        expect(isClosed, "[I9] nothing sells after the end").toBe(false);
        expect(line.atMs, "[I9] nothing sells before the start").toBeGreaterThanOrEqual(
          drop.startsAtMs,
        );
        expect(line.atMs, "[I9] nothing sells after the end").toBeLessThan(
          plannedEndMs ?? drop.endsAtMs,
        );
      }
      replay(books, bought, line, isClosed);
      isClosed ||= line.kind === "closed" || line.kind === "voided";
      expect(line.books, "[I6] each line follows from the one before").toEqual(books);
      for (const units of bought.values())
        expect(units, "[I4] the limit holds").toBeLessThanOrEqual(drop.perBuyerLimit);
    }
    expect(books, "[I6] replaying the ledger gives the live state").toEqual({
      allotted: drop.allotment,
      restocked: drop.restocked,
      available: drop.available,
      held: drop.held,
      sold: drop.sold,
      writtenOff: drop.writtenOff,
    });
  }
}

function replay(
  books: Books,
  bought: Map<string, number>,
  line: Movement,
  isClosed: boolean,
): void {
  const { kind, quantity } = line;
  const viewer = line.field.slice(0, line.field.indexOf("|"));
  const count = (units: number): unknown => bought.set(viewer, (bought.get(viewer) ?? 0) + units);
  switch (kind) {
    case "allotted":
      books.allotted = books.available = quantity;
      break;
    case "held":
    case "offered":
    case "reheld":
      books.available -= quantity;
      books.held += quantity;
      count(quantity);
      break;
    case "sold":
      books.held -= quantity;
      books.sold += quantity;
      break;
    case "expired":
    case "cancelled":
      books.held -= quantity;
      if (isClosed) books.writtenOff += quantity;
      else books.available += quantity;
      count(-quantity);
      break;
    case "restocked":
      books.restocked += quantity;
      books.available += quantity;
      break;
    case "closed":
    case "voided":
      books.available -= quantity;
      books.writtenOff += quantity;
      break;
    default:
      books.sold -= quantity;
      books[returnedTo(kind)] += quantity;
      count(-quantity);
  }
}

/** Where units of an order that was taken back go: shop/return.lua. */
function returnedTo(kind: string): "available" | "writtenOff" {
  if (kind === "returned") return "available";
  if (kind === "returnedToProduct" || kind === "returnedAsLoss") return "writtenOff";
  throw new Error(`unknown movement ${kind}`);
}

/** [I3] [I5]: of one hold, `held` comes once, and it ends as often as it was (re)held, at most once as sold. */
export function checkHolds(ledger: readonly Movement[], isOver: boolean): void {
  const fields = new Set(ledger.map((line) => line.field).filter(Boolean));
  for (const field of fields) {
    const count = (...kinds: string[]): number =>
      ledger.filter((line) => line.field === field && kinds.includes(line.kind)).length;
    expect(count("held", "offered"), "[I3] one hold per key").toBe(1);
    expect(count("sold"), "[I5] sold once at most").toBeLessThanOrEqual(1);
    const open = count(...TAKES) - count("sold", "expired", "cancelled");
    if (isOver) expect(open, "[I5] every hold ends exactly once").toBe(0);
    else expect([0, 1], "[I5] a hold ends once at most").toContain(open);
  }
}

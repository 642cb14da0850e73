/** One movement of stock, as `shop/books.lua` writes it to the ledger stream, and the books of its drop after it. */
import { rawOf } from "#wire";

/** Units of one drop. At every movement: allotted + restocked = available + held + sold + writtenOff. [I1] */
export interface Books {
  readonly allotted: number;
  readonly restocked: number;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  readonly writtenOff: number;
}

export const BOOK_FIELDS = [
  "allotted",
  "restocked",
  "available",
  "held",
  "sold",
  "writtenOff",
] as const satisfies readonly (keyof Books)[];

/** What everybody may know of a movement. */
export interface PublicMovement extends Books {
  /** From 1 on, without a gap, over all drops of the show. */
  readonly no: number;
  /** By Redis TIME. */
  readonly atMs: number;
  readonly kind: string;
  readonly dropId: string;
  readonly quantity: number;
  /** Money taken (`sold`) or given back (`returned…`); else 0. */
  readonly cents: number;
  /** Of `sold`: what coupons took off, and which: `couponId:offCents:claims`, joined by commas; claims are all that the budget covers. */
  readonly discountCents: number;
  readonly coupons: string;
}

/** `viewerId` and `holdId` are "" where no hold is concerned. */
export interface Movement extends PublicMovement {
  readonly viewerId: string;
  readonly holdId: string;
}

/** field: `viewerId|holdId`, "" where no hold is concerned, or those of a whole run of holds of `quantity` each. */
type RawMovement = readonly [
  atMs: number,
  kind: string,
  dropId: string,
  field: string | readonly string[],
  quantity: number,
  cents: number,
  ...books: RawBooks,
  discountCents?: number,
  coupons?: string,
];
type RawBooks = [
  allotted: number,
  restocked: number,
  available: number,
  held: number,
  sold: number,
  writtenOff: number,
];

/** A stream entry: the movements of one script call. @param id `no-0`, the number of the first */
export function readEntry(id: string, packed: Uint8Array): Movement[] {
  const movements: Movement[] = [];
  let no = Number.parseInt(id, 10);
  for (const raw of rawOf(packed) as RawMovement[]) {
    const field = raw[3];
    if (typeof field === "string") movements.push(movementOf(no++, raw, field, 0));
    else
      for (let i = 0; i < field.length; i++)
        movements.push(movementOf(no++, raw, field[i] as string, field.length - 1 - i));
  }
  return movements;
}

/** @param later movements of the same run that come after this one: the books are those after the last of them */
function movementOf(no: number, raw: RawMovement, field: string, later: number): Movement {
  const [atMs, kind, dropId, , quantity, cents, ...rest] = raw;
  const [allotted, restocked, available, held, sold, writtenOff, discountCents, coupons] = rest;
  const bar = field.indexOf("|");
  return {
    no,
    atMs,
    kind,
    dropId,
    quantity,
    cents,
    allotted,
    restocked,
    available: available + later * quantity,
    held: held - later * quantity,
    sold,
    writtenOff,
    discountCents: discountCents ?? 0,
    coupons: coupons ?? "",
    viewerId: bar < 0 ? "" : field.slice(0, bar),
    holdId: bar < 0 ? "" : field.slice(bar + 1),
  };
}

/** Everything but the number. */
export const isSameMovement = (a: Movement, b: Movement): boolean =>
  a.viewerId === b.viewerId && a.holdId === b.holdId && isSamePublic(a, b);

export const isSamePublic = (a: PublicMovement, b: PublicMovement): boolean =>
  a.atMs === b.atMs &&
  a.kind === b.kind &&
  a.dropId === b.dropId &&
  a.quantity === b.quantity &&
  a.cents === b.cents &&
  a.discountCents === b.discountCents &&
  a.coupons === b.coupons &&
  areSameBooks(a, b);

export const areSameBooks = (a: Books, b: Books): boolean =>
  BOOK_FIELDS.every((field) => a[field] === b[field]);

export const booksOf = (of: Books): Books => ({
  allotted: of.allotted,
  restocked: of.restocked,
  available: of.available,
  held: of.held,
  sold: of.sold,
  writtenOff: of.writtenOff,
});

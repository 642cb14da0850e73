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
}

/** `viewerId` and `holdId` are "" where no hold is concerned. */
export interface Movement extends PublicMovement {
  readonly viewerId: string;
  readonly holdId: string;
}

type RawMovement = readonly [
  atMs: number,
  kind: string,
  dropId: string,
  field: string,
  quantity: number,
  cents: number,
  ...books: number[],
];

/** A stream entry: the movements of one script call. @param id `no-0`, the number of the first */
export function readEntry(id: string, packed: Uint8Array): Movement[] {
  const first = Number.parseInt(id, 10);
  return (rawOf(packed) as RawMovement[]).map((raw, i) => movementOf(first + i, raw));
}

function movementOf(no: number, raw: RawMovement): Movement {
  const [atMs, kind, dropId, field, quantity, cents, ...books] = raw;
  const bar = field.indexOf("|");
  const [allotted, restocked, available, held, sold, writtenOff] = books as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return {
    no,
    atMs,
    kind,
    dropId,
    quantity,
    cents,
    allotted,
    restocked,
    available,
    held,
    sold,
    writtenOff,
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

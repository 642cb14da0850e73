/**
 * One line of a ledger file: a movement, sealed into the hash chain. Its bytes, in this order:
 *
 *     {"no":…,"atMs":…,"kind":…,"dropId":…,"quantity":…,"cents":…,"allotted":…,"restocked":…,"available":…,"held":…,"sold":…,
 *      "writtenOff":…,"discountCents":…,"coupons":…,"buyer":"C","hold":"C","prev":"H"   ← the public part, one line without spaces
 *      ,"hash":"H"                                        ← SHA-256 of the public part's bytes, in hex
 *      ,"viewerId":…,"holdId":…,"buyerSalt":"S","holdSalt":"S"}   ← the private part, where a hold is concerned
 *
 * `prev` is the hash of the line before; the first line's is `genesisOf(show)`. The chain covers who bought only through salted
 * commitments C, so a private part can be taken out (for a public proof, or to erase a viewer) and chain and signatures stand:
 *     buyer = SHA-256 of ["dropcast buyer 1", buyerSalt, show, dropId, viewerId]   as JSON without spaces
 *     hold  = SHA-256 of ["dropcast hold 1", holdSalt, show, viewerId, holdId]
 * and "" without a hold. Salts are 128 bits of SHA-256 under the installation's secret: equal for equal ids, so that everybody can
 * follow one hold from its beginning to its end and one buyer within one drop, and nobody can guess who it is. They are a function
 * of the ids, so that a line written again has the same bytes. Cost: about 5 µs a line.
 */
import { hash } from "node:crypto";
import { BOOK_FIELDS, type Movement, type PublicMovement } from "./movement.ts";
import type { Reason } from "./reason.ts";

/** A movement as a file has it. Ids are "" where they were taken out. */
export interface SealedMovement extends Movement {
  /** Commitments; "" without a hold. */
  readonly buyer: string;
  readonly hold: string;
  readonly prev: string;
  readonly hash: string;
}

/** @param prev hash of the line before @returns the line without its line feed, and its hash */
export type Seal = (
  movement: Movement,
  prev: string,
) => { readonly text: string; readonly hash: string };

const sha256 = (text: string): string => hash("sha256", text, "hex");

/** What the first line of a show's ledger follows. */
export const genesisOf = (show: string): string => sha256(`dropcast ledger 1 ${show}`);

export function createSealer(show: string, saltSecret: string): Seal {
  const saltOf = (...ids: readonly string[]): string =>
    sha256(saltSecret + JSON.stringify([...ids, show])).slice(0, 32);
  return (movement, prev) => {
    const { dropId, viewerId, holdId } = movement;
    if (holdId === "") {
      const open = publicPart(movement, "", "", prev);
      const own = sha256(open);
      return { text: `${open},"hash":"${own}"}`, hash: own };
    }
    const buyerSalt = saltOf("buyer", dropId, viewerId);
    const holdSalt = saltOf("hold", viewerId, holdId);
    const buyer = buyerOf(show, buyerSalt, movement);
    const open = publicPart(movement, buyer, holdOf(show, holdSalt, movement), prev);
    const own = sha256(open);
    const closed = privatePart({ viewerId, holdId, buyerSalt, holdSalt });
    return { text: `${open},"hash":"${own}"${closed}}`, hash: own };
  };
}

/** The line without its private part. */
export const publicLine = (text: string): string =>
  text.replace(/^(\{.*?,"hash":"[0-9a-f]{64}").*$/s, "$1}");

const LINE = /^(\{.*?),"hash":"([0-9a-f]{64})"(,.*)?\}$/s;

/** Checks a line against itself; whether it follows from the one before is the reader's to check. */
export function readLine(text: string, show: string): SealedMovement | Reason {
  const [, open, own, closed] = LINE.exec(text) ?? [];
  if (open === undefined || own === undefined) return NOT_A_LINE;
  if (sha256(open) !== own) return HASH_DIFFERS;
  const raw = parsed(`${open}}`) as RawLine | undefined;
  if (raw === undefined || !hasShape(raw)) return NOT_A_LINE;
  if (publicPart(raw, raw.buyer, raw.hold, raw.prev) !== open) return NOT_A_LINE;
  const ids = closed === undefined ? NOBODY : openedIds(closed, raw, show);
  return "en" in ids ? ids : { ...raw, ...ids, hash: own };
}

type RawLine = PublicMovement & Pick<SealedMovement, "buyer" | "hold" | "prev">;

type OpenIds = Pick<Movement, "viewerId" | "holdId">;
const NOBODY: OpenIds = { viewerId: "", holdId: "" };

interface Opening {
  readonly viewerId: string;
  readonly holdId: string;
  readonly buyerSalt: string;
  readonly holdSalt: string;
}

function openedIds(closed: string, line: RawLine, show: string): OpenIds | Reason {
  const opening = parsed(`{${closed.slice(1)}}`) as Opening | undefined;
  if (opening === undefined || privatePart(opening) !== closed) return NOT_A_LINE;
  const { viewerId, holdId } = opening;
  const ids = { viewerId, holdId, dropId: line.dropId };
  const fits =
    buyerOf(show, opening.buyerSalt, ids) === line.buyer &&
    holdOf(show, opening.holdSalt, ids) === line.hold;
  return fits ? { viewerId, holdId } : IDS_DIFFER;
}

type Ids = Pick<Movement, "dropId" | "viewerId" | "holdId">;

const buyerOf = (show: string, salt: string, { dropId, viewerId }: Ids): string =>
  sha256(JSON.stringify(["dropcast buyer 1", salt, show, dropId, viewerId]));

const holdOf = (show: string, salt: string, { viewerId, holdId }: Ids): string =>
  sha256(JSON.stringify(["dropcast hold 1", salt, show, viewerId, holdId]));

const publicPart = (m: PublicMovement, buyer: string, hold: string, prev: string): string =>
  `{"no":${m.no},"atMs":${m.atMs},"kind":${JSON.stringify(m.kind)},"dropId":${JSON.stringify(m.dropId)}` +
  `,"quantity":${m.quantity},"cents":${m.cents},"allotted":${m.allotted},"restocked":${m.restocked}` +
  `,"available":${m.available},"held":${m.held},"sold":${m.sold},"writtenOff":${m.writtenOff}` +
  `,"discountCents":${m.discountCents},"coupons":${JSON.stringify(m.coupons)}` +
  `,"buyer":"${buyer}","hold":"${hold}","prev":"${prev}"`;

const privatePart = ({ viewerId, holdId, buyerSalt, holdSalt }: Opening): string =>
  `,"viewerId":${JSON.stringify(viewerId)},"holdId":${JSON.stringify(holdId)}` +
  `,"buyerSalt":"${buyerSalt}","holdSalt":"${holdSalt}"`;

const NUMBERS = ["no", "atMs", "quantity", "cents", "discountCents", ...BOOK_FIELDS] as const;
const TEXTS = ["kind", "dropId", "coupons", "buyer", "hold", "prev"] as const;

const hasShape = (line: RawLine): boolean =>
  NUMBERS.every((name) => Number.isSafeInteger(line[name])) &&
  TEXTS.every((name) => typeof line[name] === "string") &&
  (line.buyer === "") === (line.hold === "");

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) ?? undefined;
  } catch {
    // Not JSON: the caller says so.
    return undefined;
  }
}

const NOT_A_LINE: Reason = {
  en: "this is not a line of a ledger",
  zh: "此行不是账本分录",
};
const HASH_DIFFERS: Reason = {
  en: "its content does not have the hash that it names",
  zh: "内容与所载哈希不符",
};
const IDS_DIFFER: Reason = {
  en: "its viewer and hold are not those that the chain commits to",
  zh: "观众与保留编号与链上承诺不符",
};

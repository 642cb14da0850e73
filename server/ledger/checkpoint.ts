/**
 * A checkpoint: the installation's signature under everything up to movement `no`. One JSON line:
 *
 *     {"dropcast":"ledger checkpoint 1","show":…,"no":…,"hash":"H","epoch":…,"atMs":…,"drops":{dropId:{the six books}…},"publicKey":"…"
 *      ,"signature":"…"}
 *
 * `hash` is that of movement `no`, so the chain carries the signature back to the first; `atMs` is when it was signed, by the
 * signing machine's clock. `signature` is Ed25519 over the bytes before `,"signature"`; keys and signatures are in base64.
 */
import { isSigned, type LedgerKey } from "./key.ts";
import { BOOK_FIELDS, type Books, booksOf } from "./movement.ts";
import type { Reason } from "./reason.ts";

export interface Checkpoint {
  readonly show: string;
  readonly no: number;
  readonly hash: string;
  /** Of the show's log then; a failover begins another. */
  readonly epoch: string;
  readonly atMs: number;
  /** In the order of their first movement. */
  readonly drops: ReadonlyMap<string, Books>;
  readonly publicKey: string;
}

const TITLE = "ledger checkpoint 1";

export const isCheckpoint = (text: string): boolean => text.startsWith(`{"dropcast":"${TITLE}"`);

/** @returns the line, without its line feed */
export function writeCheckpoint(what: Omit<Checkpoint, "publicKey">, key: LedgerKey): string {
  const signed = signedPart({ ...what, publicKey: key.publicKey });
  return `${signed},"signature":"${key.sign(signed)}"}`;
}

const LINE = /^(\{.*),"signature":"([A-Za-z0-9+/=]+)"\}$/s;

/** Checks form and signature, by the key that the line itself names. */
export function readCheckpoint(text: string): Checkpoint | Reason {
  const [, signed, signature] = LINE.exec(text) ?? [];
  if (signed === undefined || signature === undefined) return NOT_A_CHECKPOINT;
  // The last digit of base64 has bits that mean nothing: they must be zero, or two texts were one signature.
  if (Buffer.from(signature, "base64").toString("base64") !== signature) return WRONG_SIGNATURE;
  const read = checkpointOf(signed);
  if (read === undefined || signedPart(read) !== signed) return NOT_A_CHECKPOINT;
  return isSigned(signed, read.publicKey, signature) ? read : WRONG_SIGNATURE;
}

const signedPart = ({ show, no, hash, epoch, atMs, drops, publicKey }: Checkpoint): string =>
  JSON.stringify({
    dropcast: TITLE,
    show,
    no,
    hash,
    epoch,
    atMs,
    drops: Object.fromEntries([...drops].map(([dropId, books]) => [dropId, booksOf(books)])),
    publicKey,
  }).slice(0, -1);

function checkpointOf(signed: string): Checkpoint | undefined {
  try {
    const { drops, ...rest } = JSON.parse(`${signed}}`) as Omit<Checkpoint, "drops"> & {
      readonly drops: Readonly<Record<string, Books>>;
    };
    const read = { ...rest, drops: new Map(Object.entries(drops)) };
    const isWhole =
      Number.isSafeInteger(read.no) &&
      typeof read.publicKey === "string" &&
      [...read.drops.values()].every((books) =>
        BOOK_FIELDS.every((name) => Number.isSafeInteger(books[name])),
      );
    return isWhole ? read : undefined;
  } catch {
    // Not JSON, or not of this shape: the caller says so.
    return undefined;
  }
}

const NOT_A_CHECKPOINT: Reason = { en: "this is not a checkpoint", zh: "此行不是检查点" };
const WRONG_SIGNATURE: Reason = {
  en: "the signature of this checkpoint is wrong",
  zh: "检查点签名有误",
};

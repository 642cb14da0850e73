/**
 * One character as moderation reads it: which letter it stands for, whatever it looks like. Full-width, circled, squared,
 * mathematical and accented forms fall together (NFKC, NFKD), so do upper and lower case, traditional and simplified, Cyrillic and
 * Greek lookalikes with Latin, and digits used as letters (0 for o). Not covered: homophones (薇信), drawings (|< for k).
 * Cost: one table look-up per UTF-16 unit; an entry is worked out when its character is first met.
 */
import { SIMPLIFIED } from "./traditional.ts";

/** What a unit is to a word: part of it, or what stands between its parts. */
export const KIND = {
  /** Of a script that puts spaces between words. */
  alpha: 1,
  digit: 2,
  /** Of a script that does not: Han, kana, Hangul, Thai … */
  free: 3,
  blank: 4,
  /** Ends a clause: ，。！？ */
  clause: 5,
  sign: 6,
  apostrophe: 7,
  /** Zero width, or a mark on the letter before: as if it were not there. */
  invisible: 8,
  /** Stands for several (ﬁ, ㎏): see `expansionOf`. */
  several: 9,
} as const;

/** A sign or digit that was read as the letter it is used for. */
export const SWAPPED = 1 << 20;

export const unitOf = (code: number): number => code & 0xffff;
export const kindOf = (code: number): number => (code >> 16) & 0xf;

const encode = (unit: number, kind: number, swapped = false): number =>
  unit | (kind << 16) | (swapped ? SWAPPED : 0);

/** Pairs of a letter and the Latin one it is taken for, after lower-casing. */
const LOOKALIKES = unitPairs(
  // Cyrillic
  "аaвbсcеeһhіiјjкkӏlмmнhоoрpԛqгrѕsтtуyѵvԝwхxүyԁdɡgзeпn" +
    // Greek
    "αaβbεeηnιiκkμmνvοoρpσoςsτtυuχxγyωw" +
    // Latin letters of other alphabets, phonetic and small-capital ones
    "ɑaʙbᴄcᴅdᴇeɢgʜhɪiıiᴊjᴋkʟlᴍmɴnᴏoᴘpʀrꜱsᴛtᴜuᴠvᴡwʏyᴢzøođdłlħhŧtƒfʋvɩiƙkɓbɗdɦhƴyƶzǝeəeɔo",
);

const LEET = unitPairs("0o1i3e4a5s7t@a$s");

const FREE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー\uD800-\uDFFF]/u;
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{M}\p{Cf}\p{Cc}]/u;
const BLANK = /[\s\p{Z}\u2800]/u;
const CLAUSE = /[,;:!?。、…\n｡､]/;
const APOSTROPHE = /['’ʼ]/;
/** Their accents are letters of their own: not to be taken off. */
const KEEPS_MARKS = /[\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]/u;

/** Blocks of letters in circles and squares that Unicode does not decompose, flags' letters among them. */
const ENCLOSED: readonly number[] = [0x1f150, 0x1f170, 0x1f1e6];

const codes = new Uint32Array(0x10000);
/** Characters beyond the plane; bounded, since a viewer may try them all. */
const rare = new Map<number, number>();
const MAX_RARE = 4096;
const expansions = new Map<number, string>();

/** What the code point is: `unitOf`, `kindOf`, SWAPPED. */
export function codeOf(point: number): number {
  if (point <= 0xffff) return codes[point] || (codes[point] = classify(point));
  const known = rare.get(point);
  if (known !== undefined) return known;
  if (rare.size >= MAX_RARE) {
    rare.clear();
    for (const key of expansions.keys()) if (key > 0xffff) expansions.delete(key);
  }
  const code = classify(point);
  rare.set(point, code);
  return code;
}

/** The letters of a code point of kind `several`. */
export const expansionOf = (point: number): string => expansions.get(point) ?? "";

/** NFKC, lower case, without accents: what stays is letters, digits and signs in their plainest form. */
export function plain(character: string): string {
  const folded = character.normalize("NFKC").toLowerCase();
  if (KEEPS_MARKS.test(folded)) return folded;
  return folded.normalize("NFKD").replaceAll(/\p{M}/gu, "");
}

function classify(point: number): number {
  const character = String.fromCodePoint(point);
  if (BLANK.test(character)) return encode(32, character === "\n" ? KIND.clause : KIND.blank);
  if (INVISIBLE.test(character)) return encode(1, KIND.invisible);
  if (CLAUSE.test(character)) return encode(44, KIND.clause);
  const enclosed = ENCLOSED.find((first) => point >= first && point < first + 26);
  if (enclosed !== undefined) return encode(97 + point - enclosed, KIND.alpha);
  const folded = plain(character);
  if (folded.length === 1) return classifyUnit(folded.charCodeAt(0));
  if (folded === "") return encode(1, KIND.invisible);
  // A picture is a sign between letters; a rare letter is its two halves.
  if (
    folded.length === 2 &&
    (folded.codePointAt(0) as number) > 0xffff &&
    !/[\p{L}\p{N}]/u.test(folded)
  )
    return encode(1, KIND.sign);
  expansions.set(point, folded);
  return encode(1, KIND.several);
}

/** @param unit of a character in plain form */
function classifyUnit(unit: number): number {
  const same = SIMPLIFIED.get(unit) ?? unit;
  const latin = LOOKALIKES.get(same);
  if (latin !== undefined) return encode(latin, KIND.alpha);
  const character = String.fromCharCode(same);
  const letter = LEET.get(same);
  if (letter !== undefined) return encode(letter, KIND.digit, true);
  if (FREE.test(character)) return encode(same, KIND.free);
  if (/\p{L}/u.test(character)) return encode(same, KIND.alpha);
  if (/\p{N}/u.test(character)) return encode(same, KIND.digit);
  return encode(same, kindOfSign(character));
}

function kindOfSign(character: string): number {
  if (APOSTROPHE.test(character)) return KIND.apostrophe;
  if (CLAUSE.test(character)) return KIND.clause;
  return BLANK.test(character) ? KIND.blank : KIND.sign;
}

/** A unit inside an expansion, or half of a character beyond the plane. */
export const codeOfUnit = (unit: number): number =>
  unit >= 0xd800 && unit <= 0xdfff ? encode(unit, KIND.free) : codeOf(unit);

/** The Latin letter that a letter is taken for, or itself. */
export const latinOf = (unit: number): number => LOOKALIKES.get(unit) ?? unit;

function unitPairs(text: string): ReadonlyMap<number, number> {
  const pairs = new Map<number, number>();
  for (let i = 0; i < text.length; i += 2) pairs.set(text.charCodeAt(i), text.charCodeAt(i + 1));
  return pairs;
}

/**
 * Whether a place where a banned word's letters were found really says that word. The letters alone would also find it in
 * "as soon", "he'll", "58" or "卑微，信不信由你". Pure; called for candidates only, costs their length.
 */
import { COMMON_WORDS } from "./common-words.ts";
import { KIND } from "./letters.ts";
import { GAP, type Normalised, SWAPPED_KIND } from "./normalise.ts";

export interface Word {
  /** Letters that differ from the one before, and how often each stands there. */
  readonly runs: readonly {
    readonly unit: number;
    readonly kind: number;
    readonly count: number;
  }[];
  /** Letters that the word has in all. */
  readonly letters: number;
  /** May be part of a longer word, at this end. */
  readonly openStart: boolean;
  readonly openEnd: boolean;
  /** Written as several words: gaps are part of it. */
  readonly isPhrase: boolean;
  readonly hasFree: boolean;
  readonly isNumber: boolean;
}

type Run = Word["runs"][0];

const KIND_MASK = 15;
/** English doubles these, so "shoot" is not a stretched "shot"; "fuuck" and "shooot" are stretched. */
const DOUBLED = new Set(Array.from("bcdefglmnoprstz", (letter) => letter.charCodeAt(0)));
const STRETCHED = 3;
/** A number with gaps in it is one from this length on: "1 3" may be two sizes. */
const MIN_GAPPED_NUMBER = 5;
/** Shorter words are said in letters, not in digits: "58" is a price. */
const MIN_LEET = 4;

/** Atoms of the first and the last run, as far as they may belong to the word. */
interface Reach {
  readonly from: number;
  readonly firstTo: number;
  readonly lastFrom: number;
}

/** @param last the last atom of the run that ends the word @returns the place in the text; undefined: not this word */
export function fit(
  text: Normalised,
  last: number,
  word: Word,
): { readonly start: number; readonly end: number } | undefined {
  const reach = reachOf(text, last, word);
  if (reach === undefined) return undefined;
  const { from, firstTo, lastFrom } = reach;
  // The word takes as much of the runs at its ends as it needs: "ass sad" is one s short of being another word.
  for (let start = firstTo; start >= from; start--) {
    if (!isFirst(text, start, word) || !startFits(text, start, firstTo, word)) continue;
    for (let end = Math.max(lastFrom, start); end <= last; end++)
      if (
        isLast(text, end, word) &&
        endFits(text, [start, lastFrom, end], word) &&
        gapsFit(text, start, end, word)
      )
        return { start: text.starts[start] as number, end: text.ends[end] as number };
  }
  return undefined;
}

/** Goes back over the word's runs; undefined where an inner one has a wrong count, or too many letters are digits. */
function reachOf(text: Normalised, last: number, { runs, letters }: Word): Reach | undefined {
  const final = runs.length - 1;
  let swaps = 0;
  let to = last;
  let from = runStart(text, last);
  const lastFrom = from;
  for (let r = final; ; r--) {
    const run = runs[r] as Run;
    if (isSwapped(text, from, to) !== (run.kind & SWAPPED_KIND) > 0) swaps++;
    if (r === 0) break;
    if (r < final && !isCount(countOf(text, from, to), run, false)) return undefined;
    to = from - 1;
    from = runStart(text, to);
  }
  if (swaps > 0 && (letters < MIN_LEET || swaps * 2 > runs.length)) return undefined;
  return { from, firstTo: to, lastFrom };
}

function runStart({ units }: Normalised, to: number): number {
  let from = to;
  while (from > 0 && units[from - 1] === units[to]) from--;
  return from;
}

function countOf({ counts }: Normalised, from: number, to: number): number {
  let count = 0;
  for (let i = from; i <= to; i++) count += counts[i] as number;
  return count;
}

function isSwapped({ kinds }: Normalised, from: number, to: number): boolean {
  for (let i = from; i <= to; i++) if (((kinds[i] as number) & SWAPPED_KIND) > 0) return true;
  return false;
}

/** Whether so many of a letter may stand for the word's own number of it. */
function isCount(count: number, { unit, kind, count: wanted }: Run, isOpen: boolean): boolean {
  if (count <= wanted) return count === wanted;
  const base = kind & KIND_MASK;
  if (base === KIND.digit) return false;
  return isOpen || base === KIND.free || count >= STRETCHED || !DOUBLED.has(unit);
}

/** The first run, where the word has others too. */
const startFits = (
  text: Normalised,
  start: number,
  to: number,
  { runs, openStart }: Word,
): boolean => runs.length === 1 || isCount(countOf(text, start, to), runs[0] as Run, openStart);

/** The last run; of a word of one run, the whole of it. */
function endFits(
  text: Normalised,
  [start, lastFrom, end]: readonly [number, number, number],
  { runs, openStart, openEnd }: Word,
): boolean {
  const from = runs.length === 1 ? start : lastFrom;
  const isOpen = openEnd || (runs.length === 1 && openStart);
  return isCount(countOf(text, from, end), runs.at(-1) as Run, isOpen);
}

/** Nothing before the atom makes it the middle of a longer word or number. */
const isFirst = (text: Normalised, at: number, { runs, openStart }: Word): boolean =>
  openStart || at === 0 || !isJoined(text, at, (runs[0] as Run).kind, text.kinds[at - 1] as number);

const isLast = (text: Normalised, at: number, { runs, openEnd }: Word): boolean => {
  const next = text.kinds[at + 1];
  return openEnd || next === undefined || !isJoined(text, at + 1, (runs.at(-1) as Run).kind, next);
};

/** @param at the second of two neighbouring atoms @param kind of the word's end @param other kind of the atom beyond it */
function isJoined({ gaps }: Normalised, at: number, kind: number, other: number): boolean {
  const gap = gaps[at] as number;
  const base = kind & KIND_MASK;
  if (base === KIND.alpha) return other === KIND.alpha && (gap === 0 || gap === GAP.apostrophe);
  return base === KIND.digit && (other & KIND_MASK) === KIND.digit && gap === 0;
}

/** Whether what stands between the letters is there to hide the word, and not because they belong to different ones. */
function gapsFit(text: Normalised, start: number, end: number, word: Word): boolean {
  const { gaps } = text;
  let all = 0;
  for (let i = start + 1; i <= end; i++) all |= gaps[i] as number;
  if (all === 0 || word.isPhrase) return true;
  if (word.hasFree) return (all & GAP.clause) === 0 || isAlone(text, start, end);
  if (word.isNumber) return word.letters >= MIN_GAPPED_NUMBER;
  const pieces = piecesOf(text, start, end);
  if ((all & GAP.apostrophe) > 0) return pieces.every((piece) => piece.length === 1);
  return (all & GAP.blank) === 0 || !areWords(pieces);
}

const isAlone = ({ gaps, units }: Normalised, start: number, end: number): boolean =>
  (start === 0 || gaps[start] !== 0) && (end + 1 === units.length || gaps[end + 1] !== 0);

/** What stands together in the text, between blanks and apostrophes. */
function piecesOf({ units, counts, gaps }: Normalised, start: number, end: number): string[] {
  const pieces: string[] = [];
  let piece = "";
  for (let i = start; i <= end; i++) {
    if (i > start && ((gaps[i] as number) & (GAP.blank | GAP.apostrophe)) > 0) {
      pieces.push(piece);
      piece = "";
    }
    piece += String.fromCharCode(units[i] as number).repeat(counts[i] as number);
  }
  return [...pieces, piece];
}

/** "as s" is, "as soon" is not even asked; "f uck" and "s p a m" are not. */
function areWords(pieces: readonly string[]): boolean {
  const long = pieces.filter((piece) => piece.length > 1);
  return long.length > 0 && long.every((piece) => COMMON_WORDS.has(piece));
}

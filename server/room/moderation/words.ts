/**
 * Finds banned words in comments: an Aho–Corasick automaton over the runs of the normal form (normalise.ts), then a check of each
 * place found (fit.ts). A word of an alphabet stands for itself as a whole word; `*` at an end opens that end: "spam*" is found in
 * "spamming". A word of Han and other scripts without spaces is found anywhere.
 * Building is one pass over all letters, done when the list changes. Cost per comment: one step per letter, whatever the number of
 * words. Source: Aho & Corasick, Efficient String Matching, CACM 18 (1975).
 */
import { fit, type Word } from "./fit.ts";
import { KIND } from "./letters.ts";
import { GAP, type Normalised, normalise } from "./normalise.ts";

/** A word's place in the text, in UTF-16 units. */
export interface Place {
  /** Which of the words. */
  readonly word: number;
  readonly start: number;
  readonly end: number;
}

export interface WordSearch {
  /** The first word found, where any will do. */
  first(text: Normalised): Place | undefined;
  /** Every place of every word. */
  all(text: Normalised): readonly Place[];
}

const isOf = (kind: number) => (run: { readonly kind: number }) => (run.kind & 15) === kind;

/** @returns undefined for a word without any letter, which could never be found */
export function readWord(written: string): Word | undefined {
  const trimmed = written.trim();
  const { units, kinds, counts, gaps } = normalise(trimmed);
  if (units.length === 0) return undefined;
  const runs: { unit: number; kind: number; count: number }[] = [];
  for (const [i, unit] of units.entries()) {
    const [kind, count] = [kinds[i] as number, counts[i] as number];
    const last = runs.at(-1);
    if (last?.unit === unit) last.count += count;
    else runs.push({ unit, kind, count });
  }
  return {
    runs,
    letters: runs.reduce((sum, { count }) => sum + count, 0),
    openStart: trimmed.startsWith("*"),
    openEnd: trimmed.endsWith("*"),
    isPhrase: gaps.some((gap, i) => i > 0 && (gap & GAP.blank) > 0),
    hasFree: runs.some(isOf(KIND.free)),
    isNumber: runs.every(isOf(KIND.digit)),
  };
}

const ROOT = 0;
const NONE = -1;

/** Nodes are numbers; a node's children are a chain, since all but the root have few. */
class Trie {
  /** Letters of the words, numbered from 1. 0 is every other letter, and leads back to the root. */
  readonly symbols = new Uint16Array(0x10000);
  #alphabet = 0;
  readonly #firstChild = [NONE];
  readonly #sibling = [NONE];
  readonly #symbolOf = [0];
  readonly #fail = [ROOT];
  /** The root's children by symbol: where most letters of a comment lead. */
  #fromRoot = new Int32Array(0);
  /** The newest word that ends at a node, and the node of the longest other word that ends there too. */
  readonly wordAt = [NONE];
  readonly shorter = [NONE];
  /** By word: another one that ends at the same node. */
  readonly sameEnd: number[] = [];

  /** @param index what the word is known by */
  add(word: Word, index: number): void {
    let node = ROOT;
    for (const { unit } of word.runs) {
      const symbol = this.symbols[unit] || (this.symbols[unit] = ++this.#alphabet);
      const known = this.#child(node, symbol);
      node = known === NONE ? this.#append(node, symbol) : known;
    }
    this.sameEnd[index] = this.wordAt[node] as number;
    this.wordAt[node] = index;
  }

  /** Makes the failure links, nearest the root first; a step per node. */
  *link(): Generator<void> {
    this.#fromRoot = new Int32Array(this.#alphabet + 1);
    const queue = [...this.#children(ROOT)];
    for (const node of queue) this.#fromRoot[this.#symbolOf[node] as number] = node;
    for (const node of queue) {
      yield;
      for (const child of this.#children(node)) {
        const behind = this.step(this.#fail[node] as number, this.#symbolOf[child] as number);
        this.#fail[child] = behind;
        this.shorter[child] =
          this.wordAt[behind] === NONE ? (this.shorter[behind] as number) : behind;
        queue.push(child);
      }
    }
  }

  step(from: number, symbol: number): number {
    for (let node = from; node !== ROOT; node = this.#fail[node] as number) {
      const next = this.#child(node, symbol);
      if (next !== NONE) return next;
    }
    return this.#fromRoot[symbol] as number;
  }

  #append(node: number, symbol: number): number {
    const made = this.#symbolOf.push(symbol) - 1;
    this.#firstChild.push(NONE);
    this.#sibling.push(this.#firstChild[node] as number);
    this.#fail.push(ROOT);
    this.wordAt.push(NONE);
    this.shorter.push(NONE);
    this.#firstChild[node] = made;
    return made;
  }

  #child(node: number, symbol: number): number {
    let next = this.#firstChild[node] as number;
    while (next !== NONE && this.#symbolOf[next] !== symbol) next = this.#sibling[next] as number;
    return next;
  }

  *#children(node: number): Iterable<number> {
    for (let c = this.#firstChild[node] as number; c !== NONE; c = this.#sibling[c] as number)
      yield c;
  }
}

/**
 * Builds the search in small steps, so that thousands of words never hold up the room: drive it with `atOnce` or `inSlices`.
 * @param written the words; their order is what `Place.word` counts, those without any letter are never found
 */
export function* buildWordSearch(written: readonly string[]): Generator<void, WordSearch> {
  const trie = new Trie();
  const words: (Word | undefined)[] = [];
  for (const text of written) {
    const word = readWord(text);
    if (word !== undefined) trie.add(word, words.length);
    words.push(word);
    yield;
  }
  yield* trie.link();
  return searchIn(trie, words);
}

function searchIn(trie: Trie, words: readonly (Word | undefined)[]): WordSearch {
  const { symbols, wordAt, shorter, sameEnd } = trie;

  /** Words that end at the atom. */
  function* at(text: Normalised, atom: number, state: number): Iterable<Place> {
    let node = wordAt[state] === NONE ? (shorter[state] as number) : state;
    for (; node !== NONE; node = shorter[node] as number)
      for (let w = wordAt[node] as number; w !== NONE; w = sameEnd[w] as number) {
        const place = fit(text, atom, words[w] as Word);
        if (place !== undefined) yield { word: w, ...place };
      }
  }
  function* search(text: Normalised): Iterable<Place> {
    const { units } = text;
    let node = ROOT;
    for (let i = 0; i < units.length; i++) {
      const unit = units[i] as number;
      // Within a run the state stays; words end at its last atom, and `fit` looks at the others.
      if (unit !== units[i - 1]) {
        const symbol = symbols[unit] as number;
        node = symbol === 0 ? ROOT : trie.step(node, symbol);
      }
      if (node !== ROOT && unit !== units[i + 1]) yield* at(text, i, node);
    }
  }
  return {
    first(text) {
      for (const place of search(text)) return place;
      return undefined;
    },
    all: (text) => [...search(text)],
  };
}

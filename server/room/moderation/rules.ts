/**
 * A room's rules for comments, and what they say of one comment. The rules are one immutable object; `compile` makes them ready off
 * the hot path, `verdict` is pure and asks nobody. Hosts, moderators and operators are held to none of them but `links: "block"`.
 * Cost of a verdict: a few µs, whatever the number of words (see words.ts).
 */
import type { Role } from "#wire";
import { hasLink } from "./links.ts";
import { normalise } from "./normalise.ts";
import { buildWordSearch, type Place, type WordSearch } from "./words.ts";

export interface Rules {
  /** Least time between two comments of one viewer, on whatever node; 0: no such rule. */
  readonly slowModeMs: number;
  /** A comment with one of them is refused … */
  readonly blockedWords: readonly string[];
  /** … with one of these it is shown with stars in its place. */
  readonly maskedWords: readonly string[];
  /** Who may post links: everybody, only host and moderators, or nobody. */
  readonly links: "allow" | "hosts" | "block";
  /** How long ago a viewer's first token for this show must have been made; 0: no such rule. */
  readonly newcomerMs: number;
  /** Comments per second of all viewers on all nodes; 0: no such rule. */
  readonly roomPerSecond: number;
}

export const NO_RULES: Rules = {
  slowModeMs: 0,
  blockedWords: [],
  maskedWords: [],
  links: "allow",
  newcomerMs: 0,
  roomPerSecond: 0,
};

export interface CompiledRules extends Omit<Rules, "blockedWords" | "maskedWords"> {
  /** Words of both lists, the blocked ones first; undefined: there are none. */
  readonly search: WordSearch | undefined;
  readonly blocked: number;
}

/** In small steps: see slices.ts. @param before what the search can be taken over from when the words are the same */
export function* compile(
  rules: Rules,
  before?: { readonly rules: Rules; readonly compiled: CompiledRules },
): Generator<void, CompiledRules> {
  const { blockedWords, maskedWords, ...rest } = rules;
  const isSame =
    before?.rules.blockedWords === blockedWords && before.rules.maskedWords === maskedWords;
  const words = [...blockedWords, ...maskedWords];
  let search: WordSearch | undefined;
  if (isSame) search = before.compiled.search;
  else if (words.length > 0) search = yield* buildWordSearch(words);
  return { ...rest, search, blocked: blockedWords.length };
}

/** What is known of a comment's author at this moment. */
export interface Facts {
  readonly role: Role;
  /** Since the viewer's first token for this show. */
  readonly ageMs: number;
  /** Since the viewer's comment before this one, as far as it matters to slow mode. */
  readonly quietMs: number;
  /** Nobody but its author is to see the comment. */
  readonly isShadowed: boolean;
}

export type Verdict =
  | { readonly word: "accepted" | "shadowed"; readonly text: string }
  | { readonly word: "blocked"; readonly reason: "word" | "link" }
  | { readonly word: "tooFast"; readonly reason: "slow" | "new"; readonly retryAfterMs: number };

export function verdict(rules: CompiledRules, facts: Facts, text: string): Verdict {
  const isViewer = facts.role === "viewer";
  if (isViewer) {
    if (facts.ageMs < rules.newcomerMs) return tooFast("new", rules.newcomerMs - facts.ageMs);
    if (facts.quietMs < rules.slowModeMs) return tooFast("slow", rules.slowModeMs - facts.quietMs);
  }
  if (!mayLink(rules, isViewer) && hasLink(text)) return { word: "blocked", reason: "link" };
  let shown = text;
  if (isViewer && rules.search !== undefined) {
    const places = rules.search.all(normalise(text));
    if (places.some((place) => place.word < rules.blocked))
      return { word: "blocked", reason: "word" };
    shown = masked(text, places);
  }
  return { word: isViewer && facts.isShadowed ? "shadowed" : "accepted", text: shown };
}

const tooFast = (reason: "slow" | "new", retryAfterMs: number): Verdict => ({
  word: "tooFast",
  reason,
  retryAfterMs: Math.ceil(retryAfterMs),
});

const mayLink = ({ links }: CompiledRules, isViewer: boolean): boolean =>
  links === "allow" || (links === "hosts" && !isViewer);

/** A star for every character of the places; blanks between them stay. */
function masked(text: string, places: readonly Place[]): string {
  if (places.length === 0) return text;
  const isHidden = new Uint8Array(text.length);
  for (const { start, end } of places) isHidden.fill(1, start, end);
  let shown = "";
  let at = 0;
  for (const character of text) {
    shown += isHidden[at] === 1 && /\S/u.test(character) ? "*" : character;
    at += character.length;
  }
  return shown;
}

/**
 * One room's moderation on one node: the rules in force, the shadow bans, and who spoke when. All of it comes from Redis at opening
 * and from the show log after that, comments of other nodes included, so slow mode and the room's rate hold over all nodes, up to
 * the log's delay. Costs one verdict per comment here, and one map entry per viewer who spoke within the slow mode's span.
 */
import { type Role, rawOf } from "#wire";
import type { Spoken } from "../entries.ts";
import { type CompiledRules, compile, NO_RULES, type Rules, verdict } from "./rules.ts";
import { inSlices } from "./slices.ts";

/** Who says something. */
export interface Author extends Spoken {
  readonly role: Role;
  /** When the viewer's first token for this show was made, ms. */
  readonly sinceMs: number;
}

export type Ruling =
  | { readonly result: "accepted"; readonly text: string; readonly isHidden: boolean }
  | { readonly result: "blocked" }
  | { readonly result: "tooFast"; readonly retryAfterMs: number };

export interface StoredModeration {
  /** Field of the rules → its value as JSON; what is missing is as in NO_RULES. */
  readonly rules: Readonly<Record<string, string>>;
  readonly shadowed: readonly string[];
  readonly removed: readonly string[];
}

/** A log entry's field M: something only nodes need to know. */
export type ModerationNote =
  | readonly ["rules", readonly (readonly [field: string, json: string])[]]
  | readonly ["shadow" | "remove", viewerId: string, isOn: 0 | 1];

export interface Gate {
  /**
   * A log entry's field M. New rules are in force when they are compiled, within 0.2 s for thousands of words.
   * @returns who has to leave now, if anybody
   */
  readonly take: (bytes: Uint8Array) => string | undefined;
  /** May not come in. */
  readonly isRemoved: (viewerId: string) => boolean;
  /** Comments of the room as the log has them, from whatever node. */
  readonly heard: (spoken: readonly Spoken[], atMs: number) => void;
  /** The way in for one comment; `settled` is to be called when its append has ended, well or not. */
  readonly judge: (author: Author, text: string) => Ruling;
  readonly settled: () => void;
  readonly stop: () => void;
}

/** Longest time that compiling holds up the room. */
const SLICE_MS = 3;
const MIN_SWEEP = 1024;

export const rulesFrom = (stored: Readonly<Record<string, string>>): Rules => ({
  ...NO_RULES,
  ...Object.fromEntries(
    Object.entries(stored).map(([field, json]) => [field, JSON.parse(json) as unknown]),
  ),
});

/** Resolves when the rules are ready: no comment gets past them. @param nowMs Redis TIME */
export async function openGate(
  { rules: stored, shadowed: ids, removed: gone }: StoredModeration,
  nowMs: () => number,
): Promise<Gate> {
  const shadowed = new Set(ids);
  const removed = new Set(gone);
  const stop = new AbortController();
  let rules = rulesFrom(stored);
  const first = await inSlices(compile(rules), SLICE_MS, stop.signal);
  if (first === undefined) throw new Error("nobody can have stopped it yet");
  let inForce: { readonly rules: Rules; readonly compiled: CompiledRules } = {
    rules,
    compiled: first,
  };
  let compiling = new AbortController();

  const change = async (next: Rules): Promise<void> => {
    rules = next;
    compiling.abort();
    const mine = (compiling = new AbortController());
    const signal = AbortSignal.any([mine.signal, stop.signal]);
    const compiled = await inSlices(compile(next, inForce), SLICE_MS, signal);
    if (compiled !== undefined && !signal.aborted) inForce = { rules: next, compiled };
  };

  const last = new Map<
    string,
    { readonly atMs: number; readonly client: string; readonly seq: number }
  >();
  let sweepAt = MIN_SWEEP;
  /** A resend: the store will count it once. */
  const isKnown = ({ viewerId, client, seq }: Spoken): boolean => {
    const before = last.get(viewerId);
    return before !== undefined && before.client === client && seq <= before.seq;
  };
  const note = (spoken: Spoken, atMs: number): void => {
    if (isKnown(spoken)) return;
    const { viewerId, client, seq } = spoken;
    last.set(viewerId, { atMs, client, seq });
    if (last.size < sweepAt) return;
    const oldestMs = nowMs() - inForce.compiled.slowModeMs;
    for (const [id, entry] of last) if (entry.atMs < oldestMs) last.delete(id);
    sweepAt = Math.max(MIN_SWEEP, 2 * last.size);
  };
  const quietMs = (author: Author): number => {
    const before = last.get(author.viewerId);
    return before === undefined || isKnown(author) ? Infinity : nowMs() - before.atMs;
  };

  // The room's rate: a bucket of one second, emptied by every comment the log brings, and by those of here on their way to it.
  let tokens = Infinity;
  let tokensAtMs = nowMs();
  let onTheirWay = 0;
  const level = (perSecond: number): number => {
    const now = nowMs();
    tokens = Math.min(perSecond, tokens + ((now - tokensAtMs) / 1000) * perSecond);
    tokensAtMs = now;
    return tokens - onTheirWay;
  };
  const roomWaitMs = ({ roomPerSecond }: CompiledRules): number => {
    if (roomPerSecond === 0) return 0;
    const left = level(roomPerSecond);
    return left >= 1 ? 0 : Math.ceil(((1 - left) / roomPerSecond) * 1000);
  };

  return {
    take(bytes) {
      const entry = rawOf(bytes) as ModerationNote;
      if (entry[0] === "rules") {
        const changed = Object.fromEntries(
          entry[1].map(([field, json]) => [field, JSON.parse(json) as unknown]),
        );
        void change({ ...rules, ...changed });
        return undefined;
      }
      const [what, viewerId, isOn] = entry;
      const those = what === "shadow" ? shadowed : removed;
      if (isOn === 1) those.add(viewerId);
      else those.delete(viewerId);
      return what === "remove" && isOn === 1 ? viewerId : undefined;
    },
    isRemoved: (viewerId) => removed.has(viewerId),
    heard(spoken, atMs) {
      const { slowModeMs, roomPerSecond } = inForce.compiled;
      if (slowModeMs > 0) for (const one of spoken) note(one, atMs);
      if (roomPerSecond === 0) return;
      level(roomPerSecond);
      tokens -= spoken.length;
    },
    judge(author, text) {
      const { compiled } = inForce;
      const { viewerId, role, sinceMs } = author;
      const said = verdict(
        compiled,
        {
          role,
          ageMs: nowMs() - sinceMs,
          quietMs: quietMs(author),
          isShadowed: shadowed.has(viewerId),
        },
        text,
      );
      if (said.word === "blocked") return { result: "blocked" };
      if (said.word === "tooFast") return { result: "tooFast", retryAfterMs: said.retryAfterMs };
      const waitMs = role === "viewer" ? roomWaitMs(compiled) : 0;
      if (waitMs > 0) return { result: "tooFast", retryAfterMs: waitMs };
      if (role === "viewer" && compiled.slowModeMs > 0) note(author, nowMs());
      onTheirWay++;
      return { result: "accepted", text: said.text, isHidden: said.word === "shadowed" };
    },
    settled() {
      onTheirWay--;
    },
    stop: () => stop.abort(),
  };
}

/**
 * Go or no-go after a rehearsal: each condition by itself, in Chinese and English. Latencies that a saturated generator has measured
 * are upper bounds: if they are the only thing wrong, the verdict is "cannot tell". Pure.
 */
import type { DropBooks } from "./shop.ts";
import { imbalanceOf } from "./shop.ts";
import type { Outcome } from "./swarm/drive.ts";

export interface Condition {
  readonly holds: boolean;
  readonly says: string;
  /** About time, so in doubt when the generator was late itself. */
  readonly isLatency: boolean;
}

export interface Verdict {
  readonly word: "go" | "noGo" | "cannotTell";
  readonly says: string;
  readonly conditions: readonly Condition[];
}

/** What a viewer still feels as "at once". */
const MAX_FANOUT_P99_MS = 1000;
const MAX_HOLD_P99_MS = 1000;
const MAX_JOIN_P99_MS = 3000;
/** Beyond this the generator measures itself. */
const MAX_GENERATOR_LAG_P99_MS = 50;

const SAYS = {
  go: "✓ 可以开播 GO: 本机在这样的负载下满足全部条件 every condition held at this load",
  noGo: "✗ 暂勿开播 NO-GO: 见上方未满足的条件 the conditions marked ✗ above did not hold",
  cannotTell:
    "? 无法判断 CANNOT TELL: 压测机自身已饱和，延迟只是上限；请减少观众数或换一台机器施压 the generator itself was saturated, so the latencies are upper bounds: use fewer viewers, or generate the load on another machine",
} as const;

export function verdictOn(outcome: Outcome, books: DropBooks, units: number): Verdict {
  const conditions = [...correctness(outcome, books, units), ...latencies(outcome)];
  const failed = conditions.filter((c) => !c.holds);
  const isGeneratorLate = (outcome.lagMs.p99 ?? 0) > MAX_GENERATOR_LAG_P99_MS;
  const word =
    failed.length === 0
      ? "go"
      : isGeneratorLate && failed.every((c) => c.isLatency)
        ? "cannotTell"
        : "noGo";
  return { word, says: SAYS[word], conditions };
}

function correctness(outcome: Outcome, books: DropBooks, units: number): Condition[] {
  const { joined, viewers, holds, seen, likes, comments } = outcome;
  const commentsAnswered = comments.accepted + comments.tooFast + comments.muted + comments.blocked;
  const heldByClients = holds?.byResult.held ?? 0;
  const wanted = Math.min(units, holds?.asked ?? 0);
  const heldByBooks = books.held + books.sold;
  const exactly = heldByClients === wanted && heldByBooks === wanted;
  return [
    condition(joined === viewers, `全部入场 everybody got in: ${joined} / ${viewers}`),
    condition(
      holds !== null && holds.answered === holds.asked,
      `全部应答 every buyer was answered: ${holds?.answered ?? 0} / ${holds?.asked ?? 0}`,
    ),
    condition(
      exactly,
      `分毫不差 exactly the allotment: ${heldByClients} seen by buyers, ${heldByBooks} in the books, ${wanted} expected`,
    ),
    condition(imbalanceOf(books) === 0, `账目平衡 the books balance: off by ${imbalanceOf(books)}`),
    condition(
      seen.lost === 0 && seen.backwards === 0,
      `不漏不乱 nothing lost, nothing went back: ${seen.lost} lost, ${seen.backwards} back`,
    ),
    condition(
      seen.unbalanced === 0,
      `评论回执相符 comment receipts add up: ${seen.unbalanced} do not`,
    ),
    condition(
      commentsAnswered === comments.sent,
      `评论必答 every comment was answered: ${commentsAnswered} / ${comments.sent}`,
    ),
    condition(
      likes.sent === likes.applied,
      `点赞如数 every like counted: ${likes.applied} / ${likes.sent}`,
    ),
  ];
}

const condition = (holds: boolean, says: string): Condition => ({
  holds,
  says,
  isLatency: false,
});

const within = (label: string, p99: number | null | undefined, maxMs: number): Condition => ({
  // Nothing measured is nothing proved.
  holds: typeof p99 === "number" && p99 <= maxMs,
  says: `${label} p99 ${typeof p99 === "number" ? Math.round(p99) : "–"} ms ≤ ${maxMs} ms`,
  isLatency: typeof p99 === "number",
});

function latencies({ joinMs, fanoutMs, holds, comments }: Outcome): Condition[] {
  const shown = within("评论到屏 comment shown", fanoutMs.p99, MAX_FANOUT_P99_MS);
  return [
    within("入场 join", joinMs.p99, MAX_JOIN_P99_MS),
    ...(comments.sent > 0 ? [shown] : []),
    within("抢购应答 hold answered", holds?.tookMs.p99, MAX_HOLD_P99_MS),
  ];
}

export const verdictText = ({ conditions, says }: Verdict): string =>
  `${conditions.map((c) => `  ${c.holds ? "✓" : "✗"} ${c.says}`).join("\n")}\n\n${says}\n`;

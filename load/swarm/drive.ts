/**
 * One run of a swarm from end to end: everybody in, some seconds of talk, a rush on a drop in the middle, and then the sums of
 * what the viewers themselves saw. Judges nothing.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ViewerHistory } from "./history.ts";
import type { HoldTally, Swarm } from "./swarm.ts";
import { type Figures, type QuantilesMs, quantilesMs } from "./tally.ts";

export interface Plan {
  readonly viewers: number;
  readonly seconds: number;
  readonly commentsPerSecond: number;
  readonly likesPerSecond: number;
  /** Called once everybody is in: announces the drop, or names one. */
  readonly drop?: (() => Promise<Rush>) | undefined;
}

export interface Rush {
  readonly dropId: string;
  /** On the server's clock; 0: now. */
  readonly atMs: number;
  readonly withinMs: number;
}

export interface Outcome {
  readonly viewers: number;
  readonly joined: number;
  readonly seconds: number;
  readonly joinMs: QuantilesMs;
  readonly commentMs: QuantilesMs;
  /** A comment sent by one viewer → shown to another, all pairs. */
  readonly fanoutMs: QuantilesMs;
  /** How late the generator's own timers were. */
  readonly lagMs: QuantilesMs;
  readonly holds: (Omit<HoldTally, "tookMs"> & { readonly tookMs: QuantilesMs }) | null;
  readonly comments: ViewerHistory["comments"];
  readonly likes: ViewerHistory["likes"];
  /** Summed over all viewers. */
  readonly seen: {
    readonly events: number;
    readonly gaps: number;
    readonly lost: number;
    readonly backwards: number;
    /** Viewers whose receipts do not add up: accepted ≠ shown + skipped + slow, or fewer than the swarm's own accepted comments. */
    readonly unbalanced: number;
  };
  readonly messages: number;
  readonly closes: Figures["closes"];
  /** Commands answered by a fault, by its code. */
  readonly faults: Figures["faults"];
  readonly generatorCpuSeconds: number;
}

/** For the last ticks and confirmations after the talk has ended. */
const QUIET_MS = 1500;

export async function drive(
  swarm: Swarm,
  plan: Plan,
  say: (text: string) => void,
): Promise<Outcome> {
  const joined = await swarm.joined;
  say(`${joined} of ${plan.viewers} viewers are in`);
  const { commentsPerSecond, likesPerSecond } = plan;
  await swarm.talk({ commentsPerSecond, likesPerSecond });
  const [tally] = await Promise.all([rush(swarm, plan, say), sleep(plan.seconds * 1000)]);
  await swarm.talk({ commentsPerSecond: 0, likesPerSecond: 0 });
  await sleep(QUIET_MS);
  return outcomeOf(plan, tally, await swarm.figures(), await swarm.histories());
}

async function rush(
  swarm: Swarm,
  plan: Plan,
  say: (text: string) => void,
): Promise<HoldTally | undefined> {
  if (plan.drop === undefined) return undefined;
  const { dropId, atMs, withinMs } = await plan.drop();
  say(
    `everybody buys within ${withinMs} ms${atMs === 0 ? "" : ` of ${new Date(atMs).toISOString().slice(11, 23)} on the server's clock`}`,
  );
  return swarm.holdAll(dropId, { atMs, withinMs });
}

function outcomeOf(
  plan: Plan,
  tally: HoldTally | undefined,
  figures: Figures,
  histories: readonly ViewerHistory[],
): Outcome {
  const sum = (of: (history: ViewerHistory) => number): number =>
    histories.reduce((n, history) => n + of(history), 0);
  const accepted = sum((h) => h.comments.accepted);
  const { tookMs: _, ...holds } = tally ?? { tookMs: [] };
  return {
    viewers: plan.viewers,
    joined: histories.filter((h) => h.joins > 0).length,
    seconds: plan.seconds,
    joinMs: quantilesMs(figures.joinUs),
    commentMs: quantilesMs(figures.commentUs),
    fanoutMs: quantilesMs(figures.fanoutUs),
    lagMs: quantilesMs(figures.lagUs),
    holds: "asked" in holds ? { ...holds, tookMs: quantilesMs(figures.holdUs) } : null,
    comments: {
      sent: sum((h) => h.comments.sent),
      accepted,
      tooFast: sum((h) => h.comments.tooFast),
      muted: sum((h) => h.comments.muted),
      blocked: sum((h) => h.comments.blocked),
    },
    likes: { sent: sum((h) => h.likes.sent), applied: sum((h) => h.likes.applied) },
    seen: {
      events: sum((h) => h.events),
      gaps: sum((h) => h.gaps),
      lost: sum((h) => h.lost),
      backwards: sum((h) => h.backwards),
      unbalanced: histories.filter((h) => isUnbalanced(h, accepted)).length,
    },
    messages: figures.frames,
    closes: figures.closes,
    faults: figures.faults,
    generatorCpuSeconds: figures.cpuSeconds,
  };
}

/** Who was away for a while has not seen every receipt, which is no fault. */
const isUnbalanced = ({ receipts, closes }: ViewerHistory, allAccepted: number): boolean =>
  receipts.accepted !== receipts.shown + receipts.skipped + receipts.slow ||
  (closes.length === 0 && receipts.accepted < allAccepted);

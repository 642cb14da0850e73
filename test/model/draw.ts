/** The drawn start: who queued before it, in an order that nobody chose and anybody can recompute. Part of the model; see rules.ts. */
import { createHash } from "node:crypto";
import { noteSoldOut, serveLine, turn } from "./moves.ts";
import { type Answer, dropOf, holdOf, isOver, type Shop } from "./shop.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** By the hash of the seed and each one's own hash, smallest first. */
const inDrawnOrder = (seed: string, fields: readonly string[]): string[] =>
  fields
    .map((field) => ({ field, rank: sha256(seed + sha256(field)) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ field }) => field);

/** Once, and not before the start. Their offers stand as long as a hold; what is left then is everybody's, but for a lottery. */
export function draw(shop: Shop, dropId: string, nowMs: number): Answer {
  const drop = dropOf(shop, dropId);
  if (drop.mode === "fcfs") return ["unknown"];
  if (drop.isDrawn || isOver(drop)) return ["done"];
  if (nowMs < drop.startsAtMs) return ["tooEarly"];
  drop.isDrawn = true;
  turn(shop, dropId, nowMs);
  drop.line = inDrawnOrder(drop.seed, drop.line);
  for (const [i, field] of drop.line.entries()) {
    const hold = holdOf(shop, field);
    if (hold.state === "waiting") hold.ticket = i + 1;
  }
  serveLine(shop, dropId, nowMs, drop.holdMs);
  if (drop.state === "open" && (drop.served < drop.line.length || drop.mode === "lottery"))
    drop.state = "soldOut";
  noteSoldOut(shop, dropId);
  return ["drawn"];
}

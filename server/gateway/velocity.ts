/**
 * What is odd about a buyer, as this one node sees it: reasons for the shop to look again, never to refuse. Behind one public
 * address may be a street or a carrier, and some fingers are quick: so a flagged hold is sold like any other, and its order says why.
 * Counts live in memory only, by keys that never leave it: no address reaches Redis, a log or the shop.
 */
import type { Drop } from "#wire";
import { createTallies, createWindow, type Tally } from "./windows.ts";

/** From where each is odd. */
export const VELOCITY = {
  windowMs: 60_000,
  /** `manyViewers`: more viewers than this from one public network wanted to buy within the window. */
  viewersPerNetwork: 30,
  /** `manyHolds`: more tries than this to buy from one public network within the window. */
  holdsPerNetwork: 150,
  /** `instant`: asked sooner than this after the opening; people take 150 ms and more to react. */
  reactionMs: 80,
  /** `newViewer`: the viewer came to be this shortly before the opening, and asked as shortly after it. */
  newMs: 10_000,
  /** `insistent`: refused at least so often within the window. */
  refusals: 15,
} as const;

export interface Buyer {
  readonly show: string;
  readonly viewerId: string;
  /** When the viewer's first token for the show was made, ms by Redis TIME. */
  readonly sinceMs: number;
  /** `show|viewerId`, where somebody keeps it. */
  readonly who?: string;
  /** Its refusals, kept here by `Velocity` so that a rush looks nobody up. */
  refusals?: Tally | undefined;
}

export interface Velocity {
  /**
   * Counts one try to buy. @param network undefined: not a public one @param drop undefined: not known here yet
   * @returns flags joined by commas; "" nearly always
   */
  look(buyer: Buyer, network: string | undefined, drop: Drop | undefined): string;
  /** One more refusal of this viewer. */
  refused(buyer: Buyer): void;
}

export interface VelocityPorts {
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly redisNowMs: () => number;
}

export function createVelocity({ nowMs, redisNowMs }: VelocityPorts): Velocity {
  const { windowMs, viewersPerNetwork, holdsPerNetwork, refusals } = VELOCITY;
  const holds = createWindow(windowMs);
  const viewers = createWindow(windowMs);
  const seen = createWindow(windowMs);
  const refused = createTallies(windowMs);
  const lookAtNetwork = (flags: string[], buyer: Buyer, network: string): void => {
    const atMs = nowMs();
    const isFirst = seen.add(`${network}|${keyOf(buyer)}`, atMs) <= 1;
    const people = isFirst ? viewers.add(network, atMs) : viewers.count(network, atMs);
    if (people > viewersPerNetwork) flags.push("manyViewers");
    if (holds.add(network, atMs) > holdsPerNetwork) flags.push("manyHolds");
  };
  const countRefusals = (buyer: Buyer, more: number): number => {
    const atMs = nowMs();
    buyer.refusals = refused.tallyOf(buyer.refusals, keyOf(buyer), atMs);
    return refused.addTo(buyer.refusals, more, atMs);
  };
  return {
    look(buyer, network, drop) {
      const flags: string[] = [];
      if (network !== undefined) lookAtNetwork(flags, buyer, network);
      if (drop !== undefined) lookAtTime(flags, redisNowMs() - drop.startsAtMs, buyer, drop);
      if (countRefusals(buyer, 0) >= refusals) flags.push("insistent");
      return flags.length === 0 ? "" : flags.join(",");
    },
    refused(buyer) {
      countRefusals(buyer, 1);
    },
  };
}

/** Only about the first opening: when units come back, nobody knew before. */
function lookAtTime(
  flags: string[],
  openForMs: number,
  { sinceMs }: Buyer,
  { startsAtMs, mode, restockEpoch }: Drop,
): void {
  const { reactionMs, newMs } = VELOCITY;
  if (openForMs < 0 || openForMs >= newMs || restockEpoch > 0) return;
  if (mode === "fcfs" && openForMs < reactionMs) flags.push("instant");
  if (sinceMs > startsAtMs - newMs && sinceMs < startsAtMs) flags.push("newViewer");
}

/** Viewer ids are names within a show. */
const keyOf = ({ show, viewerId, who }: Buyer): string => who ?? `${show}|${viewerId}`;

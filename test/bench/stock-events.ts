/** Stock events one at a time: a unit is held in Redis, and every viewer's screen is timed until it shows it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Swarm } from "../../load/swarm/swarm.ts";
import type { Store } from "./world.ts";

const DROP = "watched";
const EVENT_WITHIN_MS = 20_000;
/** Lane S spaces its frames by up to this: an event that waits for the one before it would measure that. */
const SPACING_MS = 260;

export interface StockEvents {
  /** From before the call to Redis until received, ms: per event one for each viewer. @throws when not all of them received it */
  time(events: number): Promise<readonly (readonly number[])[]>;
}

export async function openStock(
  { inventory }: Store,
  show: string,
  swarm: Swarm,
  viewers: number,
): Promise<StockEvents> {
  const answer = await inventory.allot(show, {
    dropId: DROP,
    sku: "tea",
    priceCents: 9900,
    allotment: 1_000_000,
    perBuyerLimit: 1,
    holdMs: 3_600_000,
    startsAtMs: 0,
    endsAtMs: Date.now() + 3_600_000,
  });
  if (answer[0] !== "allotted") throw new Error(`the drop was not made: ${answer[0]}`);
  await sleep(1000);
  await swarm.watch("stockChanged");
  let buyers = 0;
  const hold = async (): Promise<void> => {
    const viewerId = `buyer${++buyers}`;
    const request = { what: "hold", viewerId, key: viewerId, dropId: DROP, quantity: 1 } as const;
    const [held] = await inventory.decide(show, [request]);
    if (held?.[0] !== "held") throw new Error(`a hold was answered ${held?.[0]}`);
  };
  return {
    async time(events) {
      const tookMs: (readonly number[])[] = [];
      for (let i = 0; i < events; i++) {
        await sleep(SPACING_MS + Math.random() * 100);
        await swarm.arrivals();
        const atMs = performance.timeOrigin + performance.now();
        await hold();
        const arrived: number[] = [];
        for (const giveUpMs = performance.now() + EVENT_WITHIN_MS; arrived.length < viewers;) {
          if (performance.now() > giveUpMs)
            throw new Error(`${viewers - arrived.length} of ${viewers} did not see a stock event`);
          await sleep(10);
          arrived.push(...(await swarm.arrivals()));
        }
        if (arrived.length > viewers) throw new Error("a stock event was seen twice");
        tookMs.push(arrived.map((ms) => ms - atMs));
      }
      return tookMs;
    },
  };
}

/** @param share 0…1 */
export function quantileOf(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
}

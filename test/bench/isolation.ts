/**
 * What a comment flood does to the stock on the screens: a unit is held in Redis, and every viewer is timed until the new stock is there,
 * while the room is quiet, and while it takes 5,000 comments per second from other nodes. Quiet and loud by turns.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { createRoomWrites } from "../../server/room/writes.ts";
import type { Bench } from "./bench.ts";
import { createChatter } from "./chatter.ts";
import { inTurns } from "./rounds.ts";
import type { Store } from "./world.ts";
import { openStock, quantileOf } from "./stock-events.ts";
import { watched } from "./world.ts";

const SHOW = "isolation";
const COMMENTS_PER_SECOND = 5000;
const APPEND_EVERY_MS = 20;
const MAX_BATCH = 250;
/** For ticks to be in their stride, or for the last ones to be over. */
const SETTLE_MS = 700;

export const isolation: Bench = {
  name: "isolation",
  says: "a stock event from Redis to every viewer, p99, while the room takes 5,000 comments/s",
  async run(run) {
    const viewers = run.quick ? 500 : 1000;
    run.say(`isolation: ${viewers} viewers`);
    const { store, swarm } = await watched(run, { show: SHOW, viewers });
    const stock = await openStock(store, SHOW, swarm, viewers);
    const events = run.quick ? 5 : 15;
    const p99Ms = async (): Promise<number> => quantileOf((await stock.time(events)).flat(), 0.99);
    const ms = await inTurns(run.quick ? 1 : 4, {
      quiet: p99Ms,
      flooded: () => flooded(store, p99Ms),
    });
    return [
      {
        row: `stock-p99-flooded-${viewers}`,
        value: ms.flooded,
        unit: "ms",
        controls: [`stock-p99-quiet-${viewers}`],
      },
      { row: `stock-p99-quiet-${viewers}`, value: ms.quiet, unit: "ms", controls: [] },
    ];
  },
};

/** @throws when the comments could not be said at that rate: the room would have been less loud than claimed */
async function flooded<T>({ redis }: Store, work: () => Promise<T>): Promise<T> {
  const writes = createRoomWrites(redis);
  const chatter = createChatter();
  const over = new AbortController();
  const startedMs = performance.now();
  const talk = async (): Promise<number> => {
    let said = 0;
    while (!over.signal.aborted) {
      await sleep(APPEND_EVERY_MS);
      const due = Math.floor(((performance.now() - startedMs) / 1000) * COMMENTS_PER_SECOND) - said;
      for (let left = due; left > 0; left -= MAX_BATCH)
        await writes.comment(SHOW, chatter(Math.min(left, MAX_BATCH)));
      said += due;
    }
    return said / ((performance.now() - startedMs) / 1000);
  };
  const talking = talk();
  talking.catch(() => undefined);
  await sleep(SETTLE_MS);
  const result = await work().finally(() => over.abort());
  const perSecond = await talking;
  if (perSecond < COMMENTS_PER_SECOND * 0.95)
    throw new Error(`only ${Math.round(perSecond)} comments/s could be said`);
  await sleep(SETTLE_MS);
  return result;
}

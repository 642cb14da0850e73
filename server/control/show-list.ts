/**
 * The shows that still need a process to look after them. A show rests for good once it has ended, no drop or hold is due
 * and every payment is done: old shows then cost nothing. A new show is seen within 200 ms.
 */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Part } from "../lifecycle.ts";
import { startLoop } from "../loop.ts";
import { showKeys, SHOWS_KEY } from "../redis/keys.ts";
import { all } from "./reading.ts";

export interface ShowList extends Part {
  /** Shows that may have payments to carry out. */
  readonly awake: ReadonlySet<string>;
  /** Those of them that may have drops or holds to sweep. */
  readonly due: ReadonlySet<string>;
  /** This show has got a drop just now. */
  wake(show: string): void;
}

const LOOK_EVERY_MS = 200;
const CHECK_EVERY_MS = 1000;

/** Resolves when the list is filled for the first time. */
export async function startShowList(redis: Redis, log: Logger): Promise<ShowList> {
  const awake = new Set<string>();
  const due = new Set<string>();
  const resting = new Set<string>();
  let checkAtMs = 0;

  const check = async (shows: readonly string[]): Promise<void> => {
    const replies = await Promise.all(
      shows.map((show) => {
        const { meta, due: dueKey, overdue } = showKeys(show);
        return all(redis.pipeline().hget(meta, "state").zcard(dueKey).zcard(overdue));
      }),
    );
    for (const [i, show] of shows.entries()) {
      const [state, drops, overdue] = replies[i] as [string | null, number, number];
      // Only an id so far: its maker is between two steps, or crashed there.
      if (state === null) continue;
      const hasWork = drops + overdue > 0;
      const rests = state === "ended" && !hasWork && (await isPaidUp(redis, show));
      if (rests) resting.add(show);
      keep(awake, show, !rests);
      keep(due, show, hasWork);
    }
  };
  const look = async (): Promise<void> => {
    const listed = await redis.smembers(SHOWS_KEY);
    const everything = performance.now() >= checkAtMs;
    if (everything) checkAtMs = performance.now() + CHECK_EVERY_MS;
    await check(listed.filter((show) => !resting.has(show) && (everything || !awake.has(show))));
  };
  await look();
  const { stop } = startLoop({ name: "show list", everyMs: LOOK_EVERY_MS, log, step: look });
  return {
    name: "show list",
    awake,
    due,
    stop,
    wake(show) {
      resting.delete(show);
      awake.add(show);
      due.add(show);
    },
  };
}

function keep(set: Set<string>, show: string, isIn: boolean): void {
  if (isIn) set.add(show);
  else set.delete(show);
}

/** XINFO GROUPS, as name, value pairs; `lag` is what no cashier has been given, `pending` what none has finished. */
async function isPaidUp(redis: Redis, show: string): Promise<boolean> {
  const groups = (await redis.xinfo("GROUPS", showKeys(show).payments)) as (
    | string
    | number
    | null
  )[][];
  return groups.every(
    (pairs) => pairs[pairs.indexOf("pending") + 1] === 0 && pairs[pairs.indexOf("lag") + 1] === 0,
  );
}

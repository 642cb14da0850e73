/**
 * All movements of a show, from the first on, a page at a time: from Redis, and from this machine's files what Redis no longer has.
 */
import type { Redis } from "ioredis";
import { readLine } from "./line.ts";
import type { Movement } from "./movement.ts";
import { movementsFrom, oldestNo } from "./stream.ts";
import { standingLines } from "./stretch.ts";

/** @param folder of the show's files @throws when neither has what comes next: half a ledger must not look like a whole one */
export async function* history(
  redis: Redis,
  show: string,
  folder: string,
): AsyncGenerator<readonly Movement[]> {
  let due = 1;
  const inRedis = (await oldestNo(redis, show)) ?? 1;
  if (inRedis > 1)
    for await (const lines of standingLines(folder)) {
      const filed = lines.map(({ text }) => readLine(text, show));
      const wanted = filed.filter((read) => "hash" in read).filter(({ no }) => no < inRedis);
      yield checked(wanted, due);
      due += wanted.length;
    }
  if (due < inRedis) throw new Error(`movement ${due} of ${show} is neither in Redis nor in files`);
  for await (const page of movementsFrom(redis, show, due)) {
    yield checked(page, due);
    due += page.length;
  }
}

function checked(page: readonly Movement[], due: number): readonly Movement[] {
  if (page.length > 0 && page[0]?.no !== due) throw new Error(`movement ${due} is missing`);
  return page;
}

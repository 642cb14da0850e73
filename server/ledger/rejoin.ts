/** How far a show's files and the history that Redis tells now are the same: where the files may go on after a failover. */
import type { Redis } from "ioredis";
import { difference, oneByOne } from "./live.ts";
import { readLine } from "./line.ts";
import { type Books, booksOf } from "./movement.ts";
import { LedgerDamage } from "./resume.ts";
import { movementsFrom, oldestNo } from "./stream.ts";
import { standingLines } from "./stretch.ts";

export interface CommonPart {
  /** Number of the last movement that both have. */
  readonly after: number;
  /** After it. */
  readonly drops: ReadonlyMap<string, Books>;
}

/** Reads both from the beginning on. What Redis was trimmed of counts as common. @throws LedgerDamage */
export async function commonPart(redis: Redis, show: string, folder: string): Promise<CommonPart> {
  const from = (await oldestNo(redis, show)) ?? 1;
  const stream = oneByOne(movementsFrom(redis, show, from));
  const drops = new Map<string, Books>();
  let after = 0;
  for await (const lines of standingLines(folder))
    for (const { text } of lines) {
      const filed = readLine(text, show);
      if ("en" in filed) throw new LedgerDamage(`movement ${after + 1}: ${filed.en}`);
      if (filed.no >= from) {
        const { value: live } = await stream.next();
        if (difference(filed, live, filed.no) !== undefined) return { after, drops };
      }
      after = filed.no;
      drops.set(filed.dropId, booksOf(filed));
    }
  return { after, drops };
}

/**
 * Deeds that were under way together: is there an order of them in which a single thread gives the very answers that came? The search of
 * Wing & Gong, with Lowe's memory of what has been tried, for operations that all overlap. An answer that never came allows both, that
 * the deed was done and that it was not; a batch that was under way when Redis died may have been done, and again when the driver sent it
 * anew, and is answered as the second time. A drop may be opened or closed by the clock at any time after it is due. @see Wing, Gong: Testing and Verifying Concurrent Objects (1993); Lowe: Testing for Linearizability (2017)
 */
import { isDue, turn } from "./moves.ts";
import { act } from "./deeds.ts";
import type { Answer, Deed, Shop } from "./shop.ts";

export interface Seen {
  readonly deed: Deed;
  /** undefined: none came. */
  readonly answers: readonly Answer[] | undefined;
  /** Redis died meanwhile: see redis/connect.ts. */
  readonly maySendAgain: boolean;
}

/** @returns every shop that can stand after these deeds, done in some order; none: no order explains the answers */
export function explain(before: readonly Shop[], together: readonly Seen[], nowMs: number): Shop[] {
  const after = new Map<string, Shop>();
  const tried = new Set<string>();
  const everything = 2 ** together.length - 1;
  const go = (shop: Shop, done: number, lost = 0): void => {
    const name = JSON.stringify(shop);
    if (tried.has(`${done} ${lost} ${name}`)) return;
    tried.add(`${done} ${lost} ${name}`);
    if (done === everything) after.set(name, shop);
    for (const [dropId, drop] of Object.entries(shop.drops))
      if (isDue(drop, nowMs)) {
        const next = JSON.parse(name) as Shop;
        turn(next, dropId, nowMs);
        go(next, done, lost);
      }
    together.forEach(({ deed, answers, maySendAgain }, i) => {
      const bit = 2 ** i;
      if ((done & bit) !== 0) return;
      const next = JSON.parse(name) as Shop;
      const due = act(next, deed, nowMs);
      if (answers === undefined) go(shop, done | bit, lost);
      if (answers === undefined || JSON.stringify(due) === JSON.stringify(answers))
        go(next, done | bit, lost);
      if (maySendAgain && deed.what === "batch" && (lost & bit) === 0) go(next, done, lost | bit);
    });
  };
  for (const shop of before) go(shop, 0);
  return [...after.values()];
}

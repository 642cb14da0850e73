/**
 * The built-in payment provider, for demos, rehearsals and tests: no money moves. Behaves as a real one does towards the
 * cashier: takes its time, declines some, and absorbs a repeated reference with its first answer.
 * Rule: an amount whose last two digits are 13 is declined, any other is paid.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Charge, PaymentAdapter, Refund } from "./cashier.ts";

/** References remembered; beyond that the oldest are forgotten, which the rule above makes harmless. */
const MAX_REMEMBERED = 100_000;
const DECLINED_ENDING = 13;

export interface Sandbox extends PaymentAdapter {
  /** Money taken and given back since the start, in cents, each reference once. */
  readonly takings: { readonly chargedCents: number; readonly refundedCents: number };
}

/** @param delayMs how long a payment takes */
export function createSandbox(delayMs: number): Sandbox {
  const charges = new Map<string, "paid" | "declined">();
  const refunds = new Map<string, number>();
  const takings = { chargedCents: 0, refundedCents: 0 };
  return {
    takings,
    async charge({ ref, cents }: Charge) {
      if (delayMs > 0) await sleep(delayMs, undefined, { ref: false });
      const first = charges.get(ref);
      if (first !== undefined) return first;
      const answer = cents % 100 === DECLINED_ENDING ? "declined" : "paid";
      remember(charges, ref, answer);
      if (answer === "paid") takings.chargedCents += cents;
      return answer;
    },
    async refund({ ref, cents }: Refund) {
      if (delayMs > 0) await sleep(delayMs, undefined, { ref: false });
      if (refunds.has(ref)) return;
      remember(refunds, ref, cents);
      takings.refundedCents += cents;
    },
  };
}

function remember<V>(map: Map<string, V>, ref: string, value: V): void {
  map.set(ref, value);
  const [oldest] = map.keys();
  if (map.size > MAX_REMEMBERED && oldest !== undefined) map.delete(oldest);
}

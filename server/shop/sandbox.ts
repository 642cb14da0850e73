/**
 * The built-in payment provider, for demos, rehearsals and tests: no money moves. Behaves as a real one does towards the
 * cashier: takes its time, declines some, and absorbs a repeated reference with its first answer. What else real ones do can be
 * had by a test's own `behave`, or by an amount's last two digits: 13 is declined; 14 cannot be reached twice, then is paid;
 * 15 never answers; 16 is paid and told of again by events, before and after the answer; 17 is paid, but later than any grace.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Charge, PaymentAdapter, Refund } from "./cashier.ts";

export interface Behaviour {
  readonly answer: "paid" | "declined" | "never";
  readonly delayMs?: number;
  /** Times that asking fails before it is answered. */
  readonly unreachable?: number;
  /** Outcomes told as events, before and after the answer; may be wrong, or repeated. */
  readonly tellsBefore?: readonly Outcome[];
  readonly tellsAfter?: readonly Outcome[];
}

/** What a provider's event says of a charge. */
export type Outcome = "paid" | "failed";

export interface SandboxOptions {
  /** undefined: by the amount. */
  readonly behave?: (charge: Pick<Charge, "ref" | "cents">) => Behaviour | undefined;
  /** Takes what real providers send as webhooks. */
  readonly tell?: (ref: string, outcome: Outcome) => Promise<void>;
}

export interface Sandbox extends PaymentAdapter {
  charge(charge: Omit<Charge, "deadlineMs">): Promise<"paid" | "declined">;
  /** Money taken and given back since the start, in cents, each reference once. */
  readonly takings: { readonly chargedCents: number; readonly refundedCents: number };
}

/** References remembered; beyond that the oldest are forgotten, which the rules above make harmless. */
const MAX_REMEMBERED = 100_000;
const LATE_MS = 180_000;

const BY_ENDING: Readonly<Record<number, Behaviour>> = {
  13: { answer: "declined" },
  14: { answer: "paid", unreachable: 2 },
  15: { answer: "never" },
  16: { answer: "paid", tellsBefore: ["paid"], tellsAfter: ["paid", "failed"] },
  17: { answer: "paid", delayMs: LATE_MS },
};

/** @param delayMs how long a payment takes, where its behaviour says nothing else */
export function createSandbox(delayMs: number, { behave, tell }: SandboxOptions = {}): Sandbox {
  const charges = new Map<string, "paid" | "declined">();
  const refunds = new Map<string, number>();
  const asked = new Map<string, number>();
  const takings = { chargedCents: 0, refundedCents: 0 };

  const tellAll = async (ref: string, outcomes: readonly Outcome[] = []): Promise<void> => {
    for (const outcome of outcomes) await tell?.(ref, outcome);
  };
  const decide = (ref: string, cents: number, answer: "paid" | "declined"): "paid" | "declined" => {
    const first = charges.get(ref);
    if (first !== undefined) return first;
    remember(charges, ref, answer);
    if (answer === "paid") takings.chargedCents += cents;
    return answer;
  };
  return {
    takings,
    async charge({ ref, cents }) {
      const how = behave?.({ ref, cents }) ?? BY_ENDING[cents % 100] ?? { answer: "paid" };
      const times = (asked.get(ref) ?? 0) + 1;
      if (how.unreachable !== undefined || times > 1) remember(asked, ref, times);
      await wait(how.delayMs ?? delayMs);
      if (times <= (how.unreachable ?? 0)) throw new Error("the sandbox cannot be reached");
      if (how.answer === "never") return new Promise<never>(() => undefined);
      const answer = decide(ref, cents, how.answer);
      await tellAll(ref, how.tellsBefore);
      if (how.tellsAfter !== undefined) setImmediate(() => void tellAll(ref, how.tellsAfter));
      return answer;
    },
    async refund({ ref, cents }: Refund) {
      await wait(delayMs);
      if (refunds.has(ref)) return;
      remember(refunds, ref, cents);
      takings.refundedCents += cents;
    },
  };
}

async function wait(ms: number): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { ref: false });
}

function remember<V>(map: Map<string, V>, ref: string, value: V): void {
  map.set(ref, value);
  const [oldest] = map.keys();
  if (map.size > MAX_REMEMBERED && oldest !== undefined) map.delete(oldest);
}

/**
 * A provider on whose own page the buyer pays: a session is opened, and its outcome comes later. This makes a `PaymentAdapter`
 * of it: `charge` resolves when the outcome is known, by an event (`heard`), or by asking, for events get lost. At the hold's
 * deadline the session is expired at the provider, and only its word that nobody can pay any more counts as declined.
 * What survives a crash is the charge's entry in `payments` and the session's id in `charges`: the next cashier asks on.
 */
import type { Redis } from "ioredis";
import type { Part } from "../lifecycle.ts";
import { showKeys } from "../redis/keys.ts";
import type { Charge, PaymentAdapter, Refund } from "../shop/cashier.ts";
import type { Outcome } from "../shop/sandbox.ts";
import { holdOf } from "./intake.ts";

export type SessionState = "open" | Outcome;

export interface Session {
  readonly id: string;
  /** Where the buyer pays. */
  readonly url: string | null;
}

/** Every call may be repeated; all throw when the provider cannot be reached or cannot say. */
export interface HostedProvider {
  /** @returns "refused": it does not take this charge, now or ever */
  open(charge: Charge): Promise<Session | "refused">;
  look(sessionId: string): Promise<SessionState>;
  /** Makes sure that nobody can pay any more. @returns what it is now; "open" while a payment is on its way */
  expire(sessionId: string): Promise<SessionState>;
  refund(sessionId: string, refund: Refund): Promise<void>;
}

export interface HostedAdapter extends PaymentAdapter, Part {
  /** An event has said so, and it stands in Redis. */
  readonly heard: (ref: string, outcome: Outcome) => void;
}

export interface HostedPorts {
  readonly provider: HostedProvider;
  readonly redis: Redis;
  /** Time between questions; grows eightfold over time. */
  readonly pollMs: number;
}

export function createHostedAdapter({ provider, redis, pollMs }: HostedPorts): HostedAdapter {
  const waiting = new Map<string, (outcome: Outcome) => void>();
  const stopping = new AbortController();

  const open = async (charge: Charge): Promise<Session | "refused"> => {
    const { show, chargeId } = partsOf(charge.ref);
    const { charges } = showKeys(show);
    const known = await redis.hget(charges, chargeId);
    if (known !== null) return JSON.parse(known) as Session;
    const session = await provider.open(charge);
    if (session === "refused") return session;
    const hold = await holdOf(redis, show, chargeId);
    await redis.hset(charges, chargeId, JSON.stringify(session));
    if (hold !== undefined && session.url !== null)
      await redis.hset(charges, `@${hold.viewerId}|${hold.key}`, session.url);
    return session;
  };
  const leftMs = async (deadlineMs: number): Promise<number> => {
    const [seconds, micros] = await redis.time();
    return deadlineMs - Number(seconds) * 1000 - Number(micros) / 1000;
  };
  const outcomeOf = async (
    session: Session,
    charge: Charge,
    told: Promise<Outcome>,
  ): Promise<Outcome> => {
    const endsAtMs = performance.now() + (await leftMs(charge.deadlineMs));
    for (let waitMs = pollMs; ; waitMs = Math.min(waitMs * 2, pollMs * 8)) {
      const isOver = performance.now() >= endsAtMs;
      const state = await (isOver ? provider.expire(session.id) : provider.look(session.id));
      if (state !== "open") return state;
      const untilMs = isOver ? waitMs : Math.min(waitMs, endsAtMs - performance.now());
      const outcome = await within(told, Math.max(1, untilMs), stopping.signal);
      if (outcome !== undefined) return outcome;
    }
  };
  return {
    name: "payments",
    async charge(charge) {
      if (charge.cents === 0) return "paid";
      const session = await open(charge);
      if (session === "refused") return "declined";
      const { promise: told, resolve } = Promise.withResolvers<Outcome>();
      waiting.set(charge.ref, resolve);
      try {
        return (await outcomeOf(session, charge, told)) === "paid" ? "paid" : "declined";
      } finally {
        if (waiting.get(charge.ref) === resolve) waiting.delete(charge.ref);
      }
    },
    async refund(refund) {
      if (refund.cents === 0) return;
      const { show, chargeId } = partsOf(refund.ref);
      const known = await redis.hget(showKeys(show).charges, chargeId);
      if (known === null) throw new Error("the session of a charge is not known");
      await provider.refund((JSON.parse(known) as Session).id, refund);
    },
    heard: (ref, outcome) => waiting.get(ref)?.(outcome),
    async stop() {
      stopping.abort();
      waiting.clear();
    },
  };
}

function partsOf(ref: string): { readonly show: string; readonly chargeId: string } {
  const slash = ref.indexOf("/");
  return { show: ref.slice(0, slash), chargeId: ref.slice(slash + 1) };
}

/** What was told within the time, else undefined. @throws at a stop */
async function within(
  told: Promise<Outcome>,
  ms: number,
  stopping: AbortSignal,
): Promise<Outcome | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const stop = (): void => reject(new Error("stopping"));
  if (stopping.aborted) stop();
  const timer = setTimeout(resolve, Math.min(ms, 2 ** 31 - 1), undefined);
  stopping.addEventListener("abort", stop);
  try {
    return await Promise.race([told, promise]);
  } finally {
    clearTimeout(timer);
    stopping.removeEventListener("abort", stop);
  }
}

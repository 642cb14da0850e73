/**
 * What payment providers say by events. Providers repeat them, delay them and change their order [F5], so an event is only ever
 * one of two facts about a charge, "the money has come" or "it will not come", and is carried out as the cashier's own word is:
 * with the acknowledgement of the charge, in one step. Whatever comes after that is absorbed. The one exception: money that
 * comes after all. It buys what is still there, else it goes back, once. [F4]
 */
import type { Redis } from "ioredis";
import { showKeys } from "../redis/keys.ts";
import { loadScript } from "../redis/lua.ts";
import type { Inventory } from "../shop/inventory.ts";
import type { Outcome } from "../shop/sandbox.ts";

export interface Told {
  /** `show/charge`, as the cashier gave it to the provider. */
  readonly ref: string;
  readonly outcome: Outcome;
  /** The provider's own id of this event. */
  readonly eventId: string;
}

export type Heard = "settled" | "declined" | "absorbed" | "refunding" | "unknown";

export interface Intake {
  /** Resolves when it stands in Redis. @throws when Redis is away: the provider will tell it again */
  hear(told: Told): Promise<Heard>;
}

export interface IntakePorts {
  readonly redis: Redis;
  readonly inventory: Pick<Inventory, "decide">;
  /** Whoever waits for this charge in this process need not ask any more. */
  readonly onOutcome: (ref: string, outcome: Outcome) => void;
  /** Money is to go back in this show. */
  readonly onRefund: (show: string) => void;
}

/** Two words that cross are settled at the second look. */
const MAX_TRIES = 5;
const REMEMBERED_MS = 30 * 24 * 3_600_000;

export function createIntake({ redis, inventory, onOutcome, onRefund }: IntakePorts): Intake {
  const reopen = loadScript(redis, {
    file: new URL("reopen.lua", import.meta.url),
    keys: ["payments", "holds", "orders", "charges"],
    args: ["chargeId"],
    read: (reply) => String(reply) as "settle" | "absorbed" | "refunding" | "unknown",
  });
  const settle = async (show: string, chargeId: string): Promise<Heard> => {
    const hold = await holdOf(redis, show, chargeId);
    if (hold === undefined) return "unknown";
    const request = { ...hold, dropId: "", quantity: 0, intentId: chargeId };
    for (let isSold = false, tries = 0; tries < MAX_TRIES; tries++) {
      const word = await reopen(showKeys(show), { chargeId });
      if (word !== "settle") return word === "absorbed" && isSold ? "settled" : word;
      const [answer] = await inventory.decide(show, [{ what: "settle", ...request }]);
      if (answer?.[0] === "paid_late" || answer?.[0] === "refunded") return "refunding";
      // Else somebody else's word about this charge came in between, and ours was stale: look again. If sold, then by whom?
      isSold = answer?.[0] === "sold";
    }
    throw new Error(`no end of words about charge ${chargeId} of ${show}`);
  };
  const decline = async (show: string, chargeId: string): Promise<Heard> => {
    const hold = await holdOf(redis, show, chargeId);
    if (hold === undefined) return "unknown";
    const request = { ...hold, dropId: "", quantity: 0, intentId: chargeId };
    await inventory.decide(show, [{ what: "decline", ...request }]);
    return "declined";
  };
  return {
    async hear({ ref, outcome, eventId }) {
      const slash = ref.indexOf("/");
      const [show, chargeId] = [ref.slice(0, slash), ref.slice(slash + 1)];
      if (!/^[A-Za-z0-9_-]{1,40}$/.test(show) || !/^\d{1,15}-\d{1,10}$/.test(chargeId))
        return "unknown";
      const { heard } = showKeys(show);
      if ((await redis.zscore(heard, eventId)) !== null) return "absorbed";
      const word = await (outcome === "paid" ? settle : decline)(show, chargeId);
      if (word === "unknown") return word;
      if (word === "refunding") onRefund(show);
      onOutcome(ref, outcome);
      // Only now: if we die before this, it is told again, and absorbed by what it has changed.
      const nowMs = Date.now();
      await redis
        .pipeline()
        .zadd(heard, "NX", nowMs, eventId)
        .zremrangebyscore(heard, "-inf", nowMs - REMEMBERED_MS)
        .exec();
      return word;
    },
  };
}

/** Whose hold a charge pays; undefined when there is no such charge. */
export async function holdOf(
  redis: Redis,
  show: string,
  chargeId: string,
): Promise<{ readonly viewerId: string; readonly key: string } | undefined> {
  const [entry] = await redis.xrange(showKeys(show).payments, chargeId, chargeId);
  const fields = entry?.[1] ?? [];
  const field = fields[fields.indexOf("field") + 1];
  if (entry === undefined || field === undefined) return undefined;
  const bar = field.indexOf("|");
  return { viewerId: field.slice(0, bar), key: field.slice(bar + 1) };
}

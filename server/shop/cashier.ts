/**
 * Carries out what the books ask for in each show's `payments` stream: charges and refunds, through a payment provider.
 * Guarantees [F4 F5 F7]: every intent is carried out, and a crash anywhere loses and doubles nothing. The provider sees one
 * reference per intent however often we ask; the outcome and the intent's acknowledgement are one step in Redis; what a dead
 * cashier left behind is taken over. Any number of processes may run one. Cost: one provider call per intent, outcomes batched.
 */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Part } from "../lifecycle.ts";
import { pause } from "../loop.ts";
import { isOutage } from "../redis/outage.ts";
import { createBatches } from "./batch.ts";
import { createIntents, type Intent } from "./intents.ts";
import type { Inventory } from "./inventory.ts";

export interface Charge {
  /** The same for every attempt at one charge: the provider must charge a reference at most once. */
  readonly ref: string;
  readonly cents: number;
  readonly currency: string;
  /** The end of the hold that it pays, by Redis TIME: nobody should be able to pay after it. */
  readonly deadlineMs: number;
}

export interface Refund {
  /** The reference of the charge that goes back; a repeat must be absorbed. */
  readonly ref: string;
  readonly cents: number;
}

/** A payment provider. Throws when it cannot be reached or cannot say: it will be asked again with the same reference. */
export interface PaymentAdapter {
  charge(charge: Charge): Promise<"paid" | "declined">;
  refund(refund: Refund): Promise<void>;
}

export interface Cashier extends Part {
  readonly inFlight: number;
  /** Outcomes since the start; `retries`: times the provider or Redis had to be asked again. */
  readonly done: {
    readonly paid: number;
    readonly declined: number;
    readonly refunded: number;
    readonly retries: number;
  };
}

export interface CashierPorts {
  /** A connection of its own, for blocking reads; closed with the cashier. */
  readonly blocking: Redis;
  readonly redis: Redis;
  readonly inventory: Pick<Inventory, "decide">;
  readonly adapter: PaymentAdapter;
  /** This process's name among cashiers; the same after a restart. */
  readonly consumer: string;
  readonly shows: () => Iterable<string>;
  readonly currencyOf: (show: string) => Promise<string>;
  readonly log: Logger;
  /** Payments under way at a time; many, where each waits for a person. Default 64. */
  readonly maxInFlight?: number;
  /** Called between the provider's answer and Redis: where fault tests kill the process. */
  readonly charged?: () => void;
}

const MAX_IN_FLIGHT = 64;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5000;
/** At a stop, payments under way may still end; what does not is carried out by the next cashier. */
const STOP_WAIT_MS = 1000;

export function startCashier(ports: CashierPorts): Cashier {
  const { adapter, blocking, consumer, log, redis } = ports;
  const { maxInFlight = MAX_IN_FLIGHT } = ports;
  const stopping = new AbortController();
  const batches = createBatches((show, requests) => ports.inventory.decide(show, requests));
  const underWay = new Map<string, Promise<void>>();
  const done = { paid: 0, declined: 0, refunded: 0, retries: 0 };

  const outcomeOf = async (intent: Intent): Promise<"settle" | "decline" | "refund"> => {
    const { show, id, cents } = intent;
    if (intent.what === "refund") {
      const charge = intent.of === "" ? `${intent.viewerId}|${intent.key}` : intent.of;
      await adapter.refund({ ref: `${show}/${charge}`, cents });
      return "refund";
    }
    const currency = await ports.currencyOf(show);
    const answer = await adapter.charge({
      ref: `${show}/${id}`,
      cents,
      currency,
      deadlineMs: intent.deadlineMs,
    });
    return answer === "paid" ? "settle" : "decline";
  };
  const carryOut = async (intent: Intent): Promise<void> => {
    const { show, id, viewerId, key } = intent;
    const what = await retried(
      () => outcomeOf(intent),
      () => true,
    );
    if (what === undefined) return;
    ports.charged?.();
    const told = await retried(
      () => batches.ask(show, { what, viewerId, key, dropId: "", quantity: 0, intentId: id }),
      isOutage,
    );
    if (told !== undefined) done[COUNTED[what]]++;
  };
  /** @returns undefined when stopped before it succeeded */
  const retried = async <T>(
    act: () => Promise<T>,
    mayRetry: (fault: unknown) => boolean,
  ): Promise<T | undefined> => {
    for (
      let waitMs = FIRST_RETRY_MS;
      !stopping.signal.aborted;
      waitMs = Math.min(LONGEST_RETRY_MS, waitMs * 2)
    ) {
      try {
        return await act();
      } catch (fault) {
        if (!mayRetry(fault)) throw fault;
        done.retries++;
        if (waitMs >= LONGEST_RETRY_MS)
          log.warn({ reason: (fault as Error).message }, "a payment does not get through");
        await pause(waitMs, stopping.signal);
      }
    }
    return undefined;
  };
  const begin = (intent: Intent): void => {
    const name = `${intent.show}/${intent.id}`;
    if (underWay.has(name)) return;
    const work = carryOut(intent).finally(() => underWay.delete(name));
    underWay.set(name, work);
  };
  const intents = createIntents({ blocking, redis, consumer });
  let waiting: readonly Intent[] = [];
  const step = async (): Promise<void> => {
    const free = maxInFlight - underWay.size;
    if (free <= 0) {
      await Promise.race(underWay.values());
      return;
    }
    if (waiting.length === 0) waiting = await intents.next([...ports.shows()], MAX_IN_FLIGHT);
    waiting.slice(0, free).forEach(begin);
    waiting = waiting.slice(free);
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await step();
      } catch (fault) {
        if (stopping.signal.aborted) return;
        if (!isOutage(fault)) throw fault;
        await pause(FIRST_RETRY_MS, stopping.signal);
      }
    }
  };
  const running = run();
  return {
    name: "cashier",
    done,
    get inFlight() {
      return underWay.size;
    },
    async stop() {
      stopping.abort();
      blocking.disconnect();
      const enough = new AbortController();
      // ioredis never settles a command that it meant to send again when it is told to disconnect: do not wait for ever.
      const ended = Promise.allSettled([running, ...underWay.values()]);
      await Promise.race([ended, pause(STOP_WAIT_MS, enough.signal)]);
      enough.abort();
    },
  };
}

const COUNTED = { settle: "paid", decline: "declined", refund: "refunded" } as const;

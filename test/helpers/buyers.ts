/** Buyers through the public SDK who keep their own history: what they asked, what they were told. The material of every check. */
import { expect } from "vitest";
import type { CancelAnswer, HoldAnswer, Live, PayAnswer } from "#sdk";

export interface Buyer {
  readonly viewerId: string;
  readonly live: Live;
  /** By key: every answer that came, in order; faults that may be tried again are not answers. */
  readonly holds: ReadonlyMap<string, readonly HoldAnswer[]>;
  /** Which drop a key asked for. */
  readonly dropOf: ReadonlyMap<string, string>;
  readonly payments: ReadonlyMap<string, readonly PayAnswer[]>;
  readonly cancels: ReadonlyMap<string, readonly CancelAnswer[]>;
  /** By hold: every state that the room told, in order. */
  readonly states: ReadonlyMap<string, readonly string[]>;
  readonly likes: number;
  /** Accepted; `unclear` are those that nobody answered in time. */
  readonly comments: { readonly said: number; readonly unclear: number };
  /** Taps until there is an answer, as a person does; at once where the last one was `tooFast`. */
  hold(dropId: string, key: string): Promise<HoldAnswer>;
  pay(holdId: string): Promise<PayAnswer>;
  cancel(holdId: string): Promise<CancelAnswer>;
  like(n: number): void;
  /** Says it until it is accepted. */
  say(text: string): Promise<void>;
}

/** Asks until there is an answer. What cannot be tried again is a failure of the test. */
async function insist<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (fault) {
      expect(fault).toMatchObject({ name: "SdkFault", retryable: true });
    }
  }
}

const keep = <T>(map: Map<string, T[]>, key: string, value: T): T => {
  map.set(key, [...(map.get(key) ?? []), value]);
  return value;
};

export function buyerOf(live: Live, viewerId: string): Buyer {
  const holds = new Map<string, HoldAnswer[]>();
  const dropOf = new Map<string, string>();
  const payments = new Map<string, PayAnswer[]>();
  const cancels = new Map<string, CancelAnswer[]>();
  const states = new Map<string, string[]>();
  let likes = 0;
  const comments = { said: 0, unclear: 0 };
  live.on("orderChanged", ({ holdId, state }) => void keep(states, holdId, state));
  return {
    viewerId,
    live,
    holds,
    dropOf,
    payments,
    cancels,
    states,
    get likes() {
      return likes;
    },
    comments,
    async hold(dropId, key) {
      dropOf.set(key, dropId);
      for (;;) {
        const answer = await insist(() => live.hold(dropId, { key }));
        if (answer.result !== "tooFast") return keep(holds, key, answer);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    },
    pay: async (holdId) => keep(payments, holdId, await insist(() => live.pay(holdId))),
    cancel: async (holdId) => keep(cancels, holdId, await insist(() => live.cancel(holdId))),
    like(n) {
      live.like(n);
      likes += n;
    },
    async say(text) {
      for (;;) {
        const answer = await live.comment(text).catch((fault: unknown) => {
          expect(fault).toMatchObject({ name: "SdkFault", code: "timeout" });
          comments.unclear++;
        });
        if (answer === undefined) return;
        if (answer.result === "accepted") break;
        expect(answer.result).toBe("tooFast");
        await new Promise((resolve) => setTimeout(resolve, answer.retryAfterMs));
      }
      comments.said++;
    },
  };
}

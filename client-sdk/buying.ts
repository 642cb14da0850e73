/** Prepare, hold, pay, cancel: commands whose answers are values, and a payment that is over when the money has settled. */
import type { Order } from "#wire";
import type { Commands } from "./commands.ts";
import type { Events } from "./events.ts";
import { randomId } from "./id.ts";
import { type Live, type LiveEvents, type LiveState, type PayAnswer, SdkFault } from "./live.ts";
import type { Passes } from "./passes.ts";

/** A settlement that takes longer is reported as a fault; the order itself goes on, and `orderChanged` will tell. */
const SETTLE_WITHIN_MS = 90_000;

export interface BuyingPorts {
  readonly commands: Commands;
  readonly events: Events<LiveEvents>;
  readonly state: LiveState;
  /** Server time, ms. */
  readonly now: () => number;
}

export function createBuying({
  commands,
  events,
  state,
  now,
}: BuyingPorts): Pick<Live, "prepare" | "hold" | "claim" | "wait" | "pay" | "cancel"> {
  const passes = (): Promise<Passes> =>
    import("./passes.ts").then(
      (m) => m.passesOf(commands, now),
      () => {
        // The file did not come: like a command that was not answered.
        throw new SdkFault("timeout", true);
      },
    );
  /** Asks, showing a pass where the drop wants one. */
  const showing = async <A extends { readonly result: string }>(
    dropId: string,
    key: string,
    ask: (pass: string) => Promise<A>,
  ): Promise<A> => {
    // Also a drop that is not known here yet: if it wants a pass, it says so.
    if (!/token|proof/.test(state.drops.get(dropId)?.admission ?? "")) {
      const answer = await ask("");
      if (answer.result !== "pass") return answer;
    }
    return (await passes()).through(dropId, key, ask);
  };
  /**
   * Watches one hold from before the payment is asked for. `over` resolves once it has ended, or is held again because the
   * charge was declined; with undefined when it may be forgotten, since the room has begun anew: asking again does no harm.
   */
  const watch = (holdId: string): { over: () => Promise<Order | undefined>; stop: () => void } => {
    /** As this history has it: what is left of another one (version below 0) says nothing of this payment. */
    const known = (): Order | undefined => {
      const order = state.orders.get(holdId);
      return order !== undefined && order.version >= 0 ? order : undefined;
    };
    const before = known()?.version;
    const { promise, resolve, reject } = Promise.withResolvers<Order | undefined>();
    let sawPaying = false;
    const look = (): void => {
      const order = known();
      if (order === undefined) return;
      if (order.state === "paying") sawPaying = true;
      else if (order.state !== "held") resolve(order);
      else if (state.connection !== "live") return;
      else if (sawPaying || (before !== undefined && order.version > before)) resolve(order);
    };
    const offs = [
      events.on("orderChanged", look),
      events.on("connectionChanged", ({ connection, resumed }) => {
        if (connection === "closed") reject(new SdkFault("closed", false));
        if (resumed === "snapshot") resolve(undefined);
        look();
      }),
    ];
    let timer: ReturnType<typeof setTimeout> | undefined;
    return {
      over() {
        timer = setTimeout(() => reject(new SdkFault("timeout", true)), SETTLE_WITHIN_MS);
        look();
        return promise;
      },
      stop() {
        clearTimeout(timer);
        for (const off of offs) off();
      },
    };
  };

  const pay = async (holdId: string): Promise<PayAnswer> => {
    const hold = watch(holdId);
    try {
      const { result, orderId } = await commands.ask("pay", { holdId });
      if (result === "sold") return { result, orderId };
      if (result !== "paying") return { result };
      const order = await hold.over();
      if (order === undefined) return await pay(holdId);
      if (order.state === "sold") return { result: "sold", orderId: order.orderId };
      return { result: order.state === "held" ? "declined" : order.state } as PayAnswer;
    } finally {
      hold.stop();
    }
  };

  return {
    async prepare(dropId, { key = randomId() } = {}) {
      const { result, untilMs } = await (await passes()).get(dropId, key);
      if (result !== "pass") return { result: result === "closed" ? result : "notNeeded" };
      return { result: "ready", key, untilMs };
    },
    async hold(dropId, { quantity = 1, key = randomId(), coupons = [] } = {}) {
      const answer = await showing(dropId, key, (pass) => {
        const asked = { dropId, quantity, key };
        if (pass !== "" || coupons.length > 0)
          return commands.ask("redeem", { ...asked, coupons, pass });
        const { mode, state: at, restockEpoch = 0 } = state.drops.get(dropId) ?? {};
        // "Sold out" has not been seen yet: when it comes, it is the answer.
        return mode === "fcfs" && (at === "open" || at === "announced")
          ? commands.ask("tap", { ...asked, restockEpoch })
          : commands.ask("hold", asked);
      });
      const { result, holdId, deadlineMs, retryAfterMs } = answer;
      if (result === "held") return { result, holdId, deadlineMs, quantity: answer.quantity };
      return result === "tooFast" ? { result, retryAfterMs } : { result };
    },
    async wait(dropId, { quantity = 1, key = randomId() } = {}) {
      const answer = await showing(dropId, key, (pass) =>
        commands.ask("wait", { dropId, quantity, key, pass }),
      );
      const { result, ticket, ahead, retryAfterMs } = answer;
      if (result === "waiting") return { result, holdId: key, ticket, ahead };
      return result === "tooFast" ? { result, retryAfterMs } : { result };
    },
    async claim(couponId, { key = randomId() } = {}) {
      const { result } = await commands.ask("claim", { couponId, key });
      return { result };
    },
    pay,
    async cancel(holdId) {
      const { result } = await commands.ask("cancel", { holdId });
      return { result };
    },
  };
}

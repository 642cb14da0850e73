/** Hold, pay, cancel: commands whose answers are values, and a payment that is over when the money has settled. */
import type { Order } from "#wire";
import type { Commands } from "./commands.ts";
import type { Events } from "./events.ts";
import { randomId } from "./id.ts";
import { type Live, type LiveEvents, type LiveState, type PayAnswer, SdkFault } from "./live.ts";

/** A settlement that takes longer is reported as a fault; the order itself goes on, and `orderChanged` will tell. */
const SETTLE_WITHIN_MS = 90_000;

export function createBuying(
  commands: Commands,
  events: Events<LiveEvents>,
  state: LiveState,
): Pick<Live, "hold" | "claim" | "wait" | "pay" | "cancel"> {
  /**
   * Watches one hold from before the payment is asked for. `over` resolves once it has ended, or is held again because the
   * charge was declined.
   */
  const watch = (holdId: string): { over: () => Promise<Order>; stop: () => void } => {
    const before = state.orders.get(holdId)?.version;
    const { promise, resolve, reject } = Promise.withResolvers<Order>();
    let sawPaying = false;
    const look = (): void => {
      const order = state.orders.get(holdId);
      if (order === undefined) return;
      if (order.state === "paying") sawPaying = true;
      else if (order.state !== "held") resolve(order);
      else if (sawPaying || (before !== undefined && order.version > before)) resolve(order);
    };
    const offs = [
      events.on("orderChanged", look),
      events.on("connectionChanged", ({ connection }) => {
        if (connection === "closed") reject(new SdkFault("closed", false));
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

  return {
    async hold(dropId, { quantity = 1, key = randomId(), coupons = [] } = {}) {
      const { result, ...answer } = await (coupons.length === 0
        ? commands.ask("hold", { dropId, quantity, key })
        : commands.ask("redeem", { dropId, quantity, key, coupons }));
      if (result !== "held") return { result };
      return {
        result,
        holdId: answer.holdId,
        deadlineMs: answer.deadlineMs,
        quantity: answer.quantity,
      };
    },
    async wait(dropId, { quantity = 1, key = randomId() } = {}) {
      const { result, ticket, ahead } = await commands.ask("wait", { dropId, quantity, key });
      return result === "waiting" ? { result, holdId: key, ticket, ahead } : { result };
    },
    async claim(couponId, { key = randomId() } = {}) {
      const { result } = await commands.ask("claim", { couponId, key });
      return { result };
    },
    async pay(holdId) {
      const hold = watch(holdId);
      try {
        const { result, orderId } = await commands.ask("pay", { holdId });
        if (result === "sold") return { result, orderId };
        if (result !== "paying") return { result };
        const order = await hold.over();
        if (order.state === "sold") return { result: "sold", orderId: order.orderId };
        return { result: order.state === "held" ? "declined" : order.state } as PayAnswer;
      } finally {
        hold.stop();
      }
    },
    async cancel(holdId) {
      const { result } = await commands.ask("cancel", { holdId });
      return { result };
    },
  };
}

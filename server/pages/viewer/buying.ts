/**
 * Buying, as the sheet shows it: which face is up, and the calls behind it. The attempt's key is made before the first send
 * and kept in sessionStorage until it is answered, so that a reload asks with the same key and can never take a second unit.
 */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { type Drop, type HoldAnswer, type Order, SdkFault, type WaitAnswer } from "#sdk";
import type { Room } from "../shared/room.ts";
import { bestCoupons, type CouponChoice } from "./coupon-choice.ts";
import { unitsLeftForMe } from "./drop-choice.ts";
import { createPasses, type Passes } from "./passes.ts";

export type RefusedWhy =
  | "soldOut"
  | "limit"
  | "notOpen"
  | "closed"
  | "coupon"
  | "tooLate"
  | "pass"
  | "noAnswer";

export type Face =
  | { readonly kind: "none" }
  | { readonly kind: "choose" | "asking"; readonly dropId: string }
  | { readonly kind: "refused"; readonly dropId: string; readonly why: RefusedWhy }
  /** A hold and what became of it: its order's state decides what is drawn. */
  | { readonly kind: "order"; readonly holdId: string };

export interface Buying {
  readonly face: ReadonlySignal<Face>;
  readonly askingDropId: ReadonlySignal<string | undefined>;
  /** Passes that drops ask for, got ahead of their start. */
  readonly passes: Passes;
  /** Payment under way, by this page or another device. */
  readonly isPaying: ReadonlySignal<boolean>;
  /** What to say about the last tap on pay or give up, beyond the order's state. */
  readonly payNote: ReadonlySignal<"none" | "noAnswer" | "declined">;
  /** The hold whose coupon did not apply after all: reserved at full price. */
  readonly fullPriceHoldId: ReadonlySignal<string | undefined>;
  readonly quantityOf: (drop: Drop) => number;
  /** The coupons that buying now would use by itself. */
  readonly couponsFor: (drop: Drop) => CouponChoice;
  readonly choose: (drop: Drop) => void;
  readonly setQuantity: (drop: Drop, quantity: number) => void;
  /** Reserves the chosen quantity, or asks again with the same key. */
  readonly buy: (drop: Drop) => void;
  /** Takes a place in line: after sold out, or in a draw. */
  readonly wait: (drop: Drop) => void;
  /** The same attempt with the same key, after no answer. */
  readonly askAgain: (drop: Drop) => void;
  readonly showOrder: (holdId: string) => void;
  readonly pay: (order: Order) => void;
  readonly giveUp: (order: Order) => void;
  readonly dismiss: () => void;
}

interface Attempt {
  readonly what: "hold" | "wait";
  readonly key: string;
  readonly quantity: number;
  readonly coupons?: readonly string[];
}

const AGAIN_AFTER_MS = 1200;
const MOST_ASKS = 8;

export function createBuying(room: Room): Buying {
  const face = signal<Face>({ kind: "none" });
  const askingDropId = signal<string | undefined>(undefined);
  const payingHoldId = signal<string | undefined>(undefined);
  const payNote = signal<"none" | "noAnswer" | "declined">("none");
  const fullPriceHoldId = signal<string | undefined>(undefined);
  const passes = createPasses(room);
  const quantities = signal<ReadonlyMap<string, number>>(new Map());

  const storedUnder = (dropId: string): string => `dropcast.hold.${room.show}.${room.me}.${dropId}`;
  const attemptOf = (dropId: string): Attempt | undefined => {
    const text = sessionStorage.getItem(storedUnder(dropId));
    return text === null ? undefined : (JSON.parse(text) as Attempt);
  };
  const quantityOf = (drop: Drop): number => {
    const most = Math.max(1, unitsLeftForMe(drop, room.orders.value));
    return Math.min(quantities.value.get(drop.dropId) ?? 1, most);
  };

  const couponsFor = (drop: Drop): CouponChoice =>
    bestCoupons(drop, quantityOf(drop), {
      coupons: room.coupons.value,
      unused: room.unusedCoupons.value,
      nowMs: room.live.now(),
    });

  const answered = async (dropId: string, made: Attempt): Promise<Face> => {
    let { coupons = [] } = made;
    const { what, key, quantity } = made;
    for (let asked = 1; asked <= MOST_ASKS; asked++) {
      const answer = await (what === "hold"
        ? room.live.hold(dropId, { quantity, key, coupons })
        : room.live.wait(dropId, { quantity, key }));
      if (answer.result === "coupon" && coupons.length > 0) {
        // Nothing was taken: the same attempt once more, at full price. The hold says so before anybody pays.
        coupons = [];
        fullPriceHoldId.value = key;
        sessionStorage.setItem(storedUnder(dropId), JSON.stringify({ what, key, quantity }));
        continue;
      }
      const next = afterAnswer(dropId, answer);
      if (next !== "again") {
        sessionStorage.removeItem(storedUnder(dropId));
        if (next.kind === "order") await orderDrawn(room, next.holdId);
        return next;
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
    }
    return { kind: "refused", dropId, why: "noAnswer" };
  };

  /** The order's state tells the rest, whenever it comes. */
  const unanswered = (fault: unknown): void => {
    if (!(fault instanceof SdkFault)) throw fault;
    payNote.value = "noAnswer";
  };

  const ask = async (dropId: string, made: Attempt): Promise<void> => {
    if (askingDropId.value !== undefined) return;
    sessionStorage.setItem(storedUnder(dropId), JSON.stringify(made));
    askingDropId.value = dropId;
    face.value = { kind: "asking", dropId };
    try {
      face.value = await answered(dropId, made);
    } catch (fault) {
      if (!(fault instanceof SdkFault)) throw fault;
      face.value = { kind: "refused", dropId, why: "noAnswer" };
    } finally {
      askingDropId.value = undefined;
    }
  };

  /** The unanswered one of the same kind, else a new one. */
  const attemptAt = (drop: Drop, what: Attempt["what"]): Attempt => {
    const before = attemptOf(drop.dropId);
    if (before?.what === what) return before;
    const made = { what, key: passes.takeKey(drop.dropId), quantity: quantityOf(drop) };
    return what === "hold" ? { ...made, coupons: couponsFor(drop).couponIds } : made;
  };

  const buying: Buying = {
    face,
    askingDropId,
    passes,
    isPaying: computed(() => {
      const shown = face.value;
      if (shown.kind !== "order") return false;
      return (
        shown.holdId === payingHoldId.value ||
        room.orders.value.get(shown.holdId)?.state === "paying"
      );
    }),
    payNote,
    fullPriceHoldId,
    quantityOf,
    couponsFor,
    choose: (drop) => (face.value = { kind: "choose", dropId: drop.dropId }),
    setQuantity: (drop, quantity) => {
      quantities.value = new Map(quantities.value).set(drop.dropId, quantity);
    },
    buy: (drop) => void ask(drop.dropId, attemptAt(drop, "hold")),
    wait: (drop) => void ask(drop.dropId, attemptAt(drop, "wait")),
    askAgain: (drop) => void ask(drop.dropId, attemptOf(drop.dropId) ?? attemptAt(drop, "hold")),
    showOrder: (holdId) => {
      payNote.value = "none";
      face.value = { kind: "order", holdId };
    },
    pay: (order) => {
      if (payingHoldId.value !== undefined) return;
      payingHoldId.value = order.holdId;
      payNote.value = "none";
      room.live
        .pay(order.holdId)
        .then((answer) => (payNote.value = answer.result === "declined" ? "declined" : "none"))
        .catch(unanswered)
        .finally(() => (payingHoldId.value = undefined));
    },
    giveUp: (order) => {
      room.live.cancel(order.holdId).catch(unanswered);
    },
    dismiss: () => (face.value = { kind: "none" }),
  };
  const inLine = new Set<string>();
  const settleAttempt = ({ dropId, holdId, state }: Order): void => {
    if (state === "waiting") inLine.add(holdId);
    // One's turn in line has come: that is worth the sheet.
    else if (inLine.delete(holdId) && state === "held") buying.showOrder(holdId);
    if (attemptOf(dropId)?.key !== holdId || askingDropId.value === dropId) return;
    // The answer was lost, the hold was not.
    sessionStorage.removeItem(storedUnder(dropId));
    if (state === "held") buying.showOrder(holdId);
  };
  room.live.on("orderChanged", settleAttempt);
  for (const order of room.orders.value.values()) settleAttempt(order);
  restore(room, buying, attemptOf, ask);
  return buying;
}

const DRAWN_WITHIN_MS = 2000;

/** The order itself comes in a frame of its own: the sheet waits for it rather than stand empty. */
const orderDrawn = async (room: Room, holdId: string): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, DRAWN_WITHIN_MS);
  const stop = room.orders.subscribe((orders) => {
    if (orders.has(holdId)) resolve();
  });
  await promise;
  clearTimeout(timer);
  stop();
};

function afterAnswer(dropId: string, answer: HoldAnswer | WaitAnswer): Face | "again" {
  const { result } = answer;
  if (result === "held" || result === "waiting") return { kind: "order", holdId: answer.holdId };
  if (result === "pending" || result === "tooFast") return "again";
  if (result === "notNeeded") return { kind: "choose", dropId };
  return { kind: "refused", dropId, why: result };
}

/** After a reload: a running hold comes back up; an attempt without an answer is asked again, with its key. */
function restore(
  room: Room,
  buying: Buying,
  attemptOf: (dropId: string) => Attempt | undefined,
  ask: (dropId: string, made: Attempt) => Promise<void>,
): void {
  const running = [...room.orders.value.values()].findLast(
    ({ state }) => state === "held" || state === "paying",
  );
  if (running !== undefined) return buying.showOrder(running.holdId);
  for (const dropId of room.drops.value.keys()) {
    const unanswered = attemptOf(dropId);
    if (unanswered !== undefined) return void ask(dropId, unanswered);
  }
}

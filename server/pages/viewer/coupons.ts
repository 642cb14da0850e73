/**
 * Claiming coupons. An attempt's key is made before the first send and kept until it is answered, so that a repeat, also after
 * a reload, cannot take two. How many were granted is remembered on this device: only the server knows what was redeemed.
 */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { type ClaimAnswer, type Coupon, SdkFault } from "#sdk";
import type { Room } from "../shared/room.ts";
import { newKey } from "./key.ts";

/** What the card's button can truly say at this moment. */
export type Claim =
  | "claimable"
  | "soon"
  | "asking"
  | "noAnswer"
  | "claimed"
  | "gone"
  | "limit"
  | "ended";

export interface Coupons {
  /** What is worth a place over the picture, own ones included. */
  readonly shown: ReadonlySignal<readonly { readonly coupon: Coupon; readonly claim: Claim }[]>;
  readonly take: (coupon: Coupon) => void;
}

interface Kept {
  /** Of the attempt without an answer. */
  readonly key?: string;
  readonly granted: number;
}

const NOTHING_KEPT: Kept = { granted: 0 };
/** A refusal stands this long in the place of the button, then the card goes. */
const REFUSAL_SHOWN_MS = 6000;
const WALLET_WITHIN_MS = 2000;

export function createCoupons(room: Room): Coupons {
  const storedUnder = `dropcast.coupons.${room.show}.${room.me}`;
  const kept = signal<Readonly<Record<string, Kept>>>(
    JSON.parse(localStorage.getItem(storedUnder) ?? "{}") as Record<string, Kept>,
  );
  /** Answers of this page; they outlast what is kept no longer than the card is shown. */
  const answers = signal<ReadonlyMap<string, Claim>>(new Map());
  /** Cards that have said their last word. */
  const hidden = signal<ReadonlySet<string>>(new Set());

  const keptOf = (couponId: string): Kept => kept.value[couponId] ?? NOTHING_KEPT;
  const keep = (couponId: string, what: Kept): void => {
    kept.value = { ...kept.value, [couponId]: what };
    localStorage.setItem(storedUnder, JSON.stringify(kept.value));
  };
  const say = (couponId: string, claim: Claim | undefined): void => {
    const next = new Map(answers.value);
    if (claim === undefined) next.delete(couponId);
    else next.set(couponId, claim);
    answers.value = next;
  };

  const claimOf = (coupon: Coupon, nowMs: number): Claim | undefined => {
    const { couponId } = coupon;
    const answer = answers.value.get(couponId);
    const isHidden = hidden.value.has(couponId);
    if (answer !== undefined && !isHidden) return answer;
    if (nowMs >= coupon.endsAtMs) return undefined;
    if ((room.unusedCoupons.value.get(couponId)?.unused ?? 0) > 0) return "claimed";
    if (isHidden || keptOf(couponId).granted >= coupon.perViewerLimit || coupon.left === 0)
      return undefined;
    return nowMs < coupon.startsAtMs ? "soon" : "claimable";
  };

  const sayLast = (couponId: string, claim: "gone" | "limit" | "ended"): void => {
    say(couponId, claim);
    setTimeout(() => (hidden.value = new Set([...hidden.value, couponId])), REFUSAL_SHOWN_MS);
  };
  // A ticket that runs out before one's eyes says so rather than vanish under the thumb.
  const onOffer = new Set<string>();
  room.coupons.subscribe((coupons) => {
    for (const { couponId, left, perViewerLimit } of coupons.values()) {
      if (left > 0) onOffer.add(couponId);
      else if (onOffer.delete(couponId) && !answers.peek().has(couponId)) {
        const { granted } = kept.peek()[couponId] ?? NOTHING_KEPT;
        if (granted < perViewerLimit) sayLast(couponId, "gone");
      }
    }
  });

  const settle = (couponId: string, { result }: ClaimAnswer): void => {
    const { granted } = keptOf(couponId);
    if (result === "granted") {
      keep(couponId, { granted: granted + 1 });
      // Then the wallet tells, which comes in a frame of its own: unused, then used.
      say(couponId, "claimed");
      setTimeout(() => say(couponId, undefined), WALLET_WITHIN_MS);
      return;
    }
    keep(couponId, { granted });
    if (result === "notOpen") return say(couponId, undefined);
    sayLast(couponId, result);
  };

  const take = async ({ couponId }: Coupon): Promise<void> => {
    if (answers.value.get(couponId) === "asking") return;
    const { key = newKey(), granted } = keptOf(couponId);
    keep(couponId, { key, granted });
    say(couponId, "asking");
    try {
      settle(couponId, await room.live.claim(couponId, { key }));
    } catch (fault) {
      if (!(fault instanceof SdkFault)) throw fault;
      say(couponId, "noAnswer");
    }
  };

  // Once a second is enough for what opens and ends.
  const second = computed(() => Math.floor(room.nowMs.value / 1000) * 1000);
  return {
    shown: computed(() =>
      [...room.coupons.value.values()]
        // In an order that no claim changes: nothing moves under the thumb.
        .toSorted((a, b) => a.startsAtMs - b.startsAtMs || b.offCents - a.offCents)
        .flatMap((coupon) => {
          const claim = claimOf(coupon, second.value);
          return claim === undefined ? [] : [{ coupon, claim }];
        }),
    ),
    take: (coupon) => void take(coupon),
  };
}

/** Coupons over the picture, as tickets: what one takes off, from what spend, how many are left, and the one tap to take it. */
import type { JSX } from "preact";
import type { Coupon } from "#sdk";
import { useDerived } from "../shared/derived.ts";
import { clockOrDate, money } from "../shared/figures.ts";
import { Icon } from "../shared/icons.tsx";
import type { Room } from "../shared/room.ts";
import type { Claim, Coupons } from "./coupons.ts";
import { say } from "./words.ts";

/** A longer amount is drawn smaller: ¥1,000, ¥15.50. */
const SHORT_AMOUNT_CHARS = 4;

export function CouponRow(props: { room: Room; coupons: Coupons }): JSX.Element | null {
  const { room, coupons } = props;
  const shown = coupons.shown.value;
  if (shown.length === 0) return null;
  return (
    <ul class="coupon-row" aria-label={say("coupons")}>
      {shown.map(({ coupon, claim }) => (
        <CouponTicket
          key={coupon.couponId}
          coupon={coupon}
          claim={claim}
          room={room}
          onTake={() => coupons.take(coupon)}
        />
      ))}
    </ul>
  );
}

function CouponTicket(props: {
  coupon: Coupon;
  claim: Claim;
  room: Room;
  onTake: () => void;
}): JSX.Element {
  const { coupon, claim, room, onTake } = props;
  const off = money(coupon.offCents, room.currency.value);
  const canTake = claim === "claimable" || claim === "noAnswer";
  return (
    <li class={`coupon ${claim}`} data-testid="coupon" data-claim={claim}>
      <strong class={`coupon-off ${off.length > SHORT_AMOUNT_CHARS ? "long" : ""}`}>−{off}</strong>
      <div class="coupon-words">
        <h3>{coupon.title}</h3>
        <p>{noteOf(coupon, claim, room)}</p>
      </div>
      {canTake || claim === "asking" ? (
        <button
          type="button"
          class="button main coupon-take"
          data-testid="coupon-claim"
          disabled={!canTake || room.connection.value !== "live"}
          aria-label={`${say(claim === "noAnswer" ? "claimAgain" : "claim")} ${coupon.title} −${off}`}
          onClick={onTake}
        >
          {claim === "asking" && <span class="spinner" />}
          {say(claim === "noAnswer" ? "claimAgain" : "claim")}
        </button>
      ) : (
        <span class="coupon-said" role="status">
          {claim === "claimed" && <Icon name="check" size={16} weight={2.25} />}
          {claim === "soon" ? <OpensIn coupon={coupon} room={room} /> : say(SAID[claim])}
        </span>
      )}
    </li>
  );
}

const SAID = {
  claimed: "claimed",
  gone: "claimGone",
  limit: "claimLimit",
  ended: "claimEnded",
} as const;
const WHY = {
  claimed: "claimedWhy",
  gone: "claimGoneWhy",
  limit: "claimLimitWhy",
  ended: "claimEndedWhy",
  noAnswer: "claimNoAnswer",
} as const;

/** The terms while it can be taken; afterwards what the answer means. */
function noteOf(coupon: Coupon, claim: Claim, room: Room): string {
  if (claim !== "claimable" && claim !== "soon" && claim !== "asking") return say(WHY[claim]);
  const left = say("couponLeft", { n: coupon.left });
  const product = room.products.value.get(coupon.sku)?.title;
  const terms =
    coupon.minSpendCents > 0
      ? say("couponFrom", { amount: money(coupon.minSpendCents, room.currency.value) })
      : product;
  return terms === undefined ? left : `${left} · ${terms}`;
}

function OpensIn(props: { coupon: Coupon; room: Room }): JSX.Element {
  const { coupon, room } = props;
  const words = useDerived(
    () => say("claimSoon", { clock: clockOrDate(coupon.startsAtMs, room.nowMs.value) }),
    [coupon.startsAtMs, room],
  );
  return <>{words}</>;
}

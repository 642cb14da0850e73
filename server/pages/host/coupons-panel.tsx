/** Coupons: those that are out with what their budget still covers, and a short form for the next. */
import type { JSX } from "preact";
import type { Coupon } from "#sdk";
import { useDerived } from "../shared/derived.ts";
import { money } from "../shared/figures.ts";
import type { Room } from "../shared/room.ts";
import type { Actions } from "./actions.ts";
import { CouponForm } from "./coupon-form.tsx";
import { say } from "./words.ts";

export function CouponsPanel(props: { room: Room; actions: Actions }): JSX.Element {
  const { room, actions } = props;
  const coupons = [...room.coupons.value.values()].toReversed();
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>{say("coupons")}</h2>
        <span class="chip">{coupons.length}</span>
      </div>
      {coupons.length > 0 && (
        <ul class="coupon-list" data-testid="coupon-list">
          {coupons.map((coupon) => (
            <CouponLine key={coupon.couponId} coupon={coupon} room={room} />
          ))}
        </ul>
      )}
      <CouponForm room={room} actions={actions} />
    </section>
  );
}

function CouponLine(props: { coupon: Coupon; room: Room }): JSX.Element {
  const { coupon, room } = props;
  const currency = room.currency.value;
  const isOver = useDerived(() => room.nowMs.value >= coupon.endsAtMs, [coupon, room]).value;
  const product = room.products.value.get(coupon.sku)?.title ?? say("anyProduct");
  const [word, look] = isOver
    ? ([say("closed"), ""] as const)
    : coupon.left === 0
      ? ([say("couponGone"), "stop"] as const)
      : ([say("couponLeft", { n: coupon.left }), "ok"] as const);
  return (
    <li class={isOver || coupon.left === 0 ? "over" : ""}>
      <strong>−{money(coupon.offCents, currency)}</strong>
      <span class="coupon-line-words">
        <b>{coupon.title}</b>
        <span class="soft">
          {coupon.minSpendCents > 0 &&
            `${say("couponFrom", { amount: money(coupon.minSpendCents, currency) })} · `}
          {product}
        </span>
      </span>
      <span class={`chip ${look}`} data-testid={`coupon-left-${coupon.couponId}`}>
        {word}
      </span>
    </li>
  );
}

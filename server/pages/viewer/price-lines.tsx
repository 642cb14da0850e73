/** The price in its parts: goods, what coupons take off, what is left to pay. One line where nothing comes off. */
import type { JSX } from "preact";
import { money } from "../shared/figures.ts";
import { Price } from "../shared/price.tsx";
import { say } from "./words.ts";

export function PriceLines(props: {
  /** Before coupons. */
  totalCents: number;
  offCents: number;
  currency: string;
  /** Once the money has moved it is paid, no longer to pay. */
  isPaid?: boolean;
  /** Nothing to say when nothing comes off. */
  isBrief?: boolean;
}): JSX.Element | null {
  const { totalCents, offCents, currency, isPaid = false, isBrief = false } = props;
  if (offCents === 0) {
    if (isBrief) return null;
    return (
      <div class="choose-row total">
        <span>{say("total")}</span>
        <Price cents={totalCents} currency={currency} />
      </div>
    );
  }
  return (
    <dl class="price-lines" data-testid="price-lines">
      <div>
        <dt>{say("price")}</dt>
        <dd>{money(totalCents, currency)}</dd>
      </div>
      <div class="off">
        <dt>{say("coupon")}</dt>
        <dd data-testid="discount">−{money(offCents, currency)}</dd>
      </div>
      <div class="to-pay">
        <dt>{say(isPaid ? "paid" : "toPay")}</dt>
        <dd>
          <Price cents={totalCents - offCents} currency={currency} />
        </dd>
      </div>
    </dl>
  );
}

/** Money as the eye takes it in: a small symbol, the amount large, decimals small. Read aloud as one amount. */
import type { JSX } from "preact";
import { money, moneyParts } from "./figures.ts";

export function Price(props: { cents: number; currency: string; class?: string }): JSX.Element {
  const { cents, currency } = props;
  return (
    <span class={`price ${props.class ?? ""}`}>
      <span class="unseen">{money(cents, currency)}</span>
      <span aria-hidden="true">
        {moneyParts(cents, currency).map((part) =>
          part.big ? part.text : <small>{part.text}</small>,
        )}
      </span>
    </span>
  );
}

/** The price before, only where it is truly higher. */
export function WasPrice(props: {
  wasCents: number;
  cents: number;
  currency: string;
}): JSX.Element | null {
  return props.wasCents > props.cents ? (
    <s class="was">{money(props.wasCents, props.currency)}</s>
  ) : null;
}

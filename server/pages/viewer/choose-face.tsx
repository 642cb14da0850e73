/** First face: what it is, what it costs, how many, by which rules. Its button is the page's own buy button. */
import type { JSX } from "preact";
import { clock } from "../shared/figures.ts";
import { Icon, type IconName } from "../shared/icons.tsx";
import { Picture } from "../shared/picture.tsx";
import { Price, WasPrice } from "../shared/price.tsx";
import { StockBar } from "../shared/stock-bar.tsx";
import { BuyButton } from "./buy-button.tsx";
import type { FaceProps } from "./buy-sheet.tsx";
import { unitsLeftForMe } from "./drop-choice.ts";
import { stockWords } from "./drop-words.ts";
import { PriceLines } from "./price-lines.tsx";
import { say } from "./words.ts";

export function ChooseFace({ drop, room, buying }: FaceProps): JSX.Element {
  const currency = room.currency.value;
  const quantity = buying.quantityOf(drop);
  const most = Math.min(unitsLeftForMe(drop, room.orders.value), Math.max(1, drop.available));
  return (
    <div class="choose">
      <div class="choose-head">
        <Picture url={room.products.value.get(drop.sku)?.imageUrl ?? ""} sizePx={96} />
        <div>
          <h2>{drop.title}</h2>
          <p class="drop-price">
            <Price cents={drop.priceCents} currency={currency} />
            <WasPrice wasCents={drop.wasCents} cents={drop.priceCents} currency={currency} />
          </p>
          <p class="soft">{stockWords(drop)}</p>
        </div>
      </div>
      <StockBar drop={drop} />
      <ul class="rules">
        <Rule icon="people" words={say("ruleLimit", { n: drop.perBuyerLimit })} />
        <Rule icon="lock" words={say("ruleHold", { clock: clock(drop.holdMs) })} />
        <Rule icon="box" words={say("ruleBack")} />
      </ul>
      {drop.perBuyerLimit > 1 && (
        <div class="choose-row">
          <span>{say("quantity")}</span>
          <span class="stepper">
            <button
              type="button"
              class="round"
              aria-label={say("fewer")}
              disabled={quantity <= 1}
              onClick={() => buying.setQuantity(drop, quantity - 1)}
            >
              <Icon name="minus" size={20} weight={2} />
            </button>
            <output>{quantity}</output>
            <button
              type="button"
              class="round"
              aria-label={say("more")}
              disabled={quantity >= most}
              onClick={() => buying.setQuantity(drop, quantity + 1)}
            >
              <Icon name="plus" size={20} weight={2} />
            </button>
          </span>
        </div>
      )}
      <PriceLines
        totalCents={drop.priceCents * quantity}
        offCents={buying.couponsFor(drop).offCents}
        currency={currency}
      />
      <BuyButton drop={drop} room={room} buying={buying} class="wide tall" />
    </div>
  );
}

function Rule(props: { icon: IconName; words: string }): JSX.Element {
  return (
    <li>
      <Icon name={props.icon} size={18} />
      {props.words}
    </li>
  );
}

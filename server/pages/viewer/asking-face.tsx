/** While the server decides: laid out like the hold that may follow, so that nothing moves when the answer comes. */
import type { JSX } from "preact";
import { money } from "../shared/figures.ts";
import { BoughtLine } from "./bought-line.tsx";
import type { FaceProps } from "./buy-sheet.tsx";
import { PayWay } from "./pay-way.tsx";
import { say } from "./words.ts";

export function AskingFace({ drop, room, buying }: FaceProps): JSX.Element {
  const quantity = buying.quantityOf(drop);
  const amountCents = drop.priceCents * quantity;
  return (
    <div class="face asking" role="status">
      <span class="ring-place">
        <span class="spinner large" />
      </span>
      <h2>{say("asking")}</h2>
      <p class="soft why">{say("askingWhy")}</p>
      <BoughtLine
        drop={drop}
        room={room}
        quantity={quantity}
        amountCents={amountCents}
        orderId=""
      />
      <PayWay />
      <button type="button" class="button main wide tall" disabled>
        {say("pay", { amount: money(amountCents, room.currency.value) })}
      </button>
      <button type="button" class="button bare wide" disabled>
        {say("giveUp")}
      </button>
    </div>
  );
}

/** While the server decides: laid out like the hold that may follow, so that nothing moves when the answer comes. */
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { money } from "../shared/figures.ts";
import { BoughtLine } from "./bought-line.tsx";
import type { FaceProps } from "./buy-sheet.tsx";
import { PayWay } from "./pay-way.tsx";
import { PriceLines } from "./price-lines.tsx";
import { say } from "./words.ts";

export function AskingFace({ drop, room, buying }: FaceProps): JSX.Element {
  const quantity = buying.quantityOf(drop);
  // As it was asked: the claim counts as used a moment before the hold is drawn.
  const { offCents } = useMemo(() => buying.couponsFor(drop), [drop.dropId]);
  const totalCents = drop.priceCents * quantity;
  const amountCents = totalCents - offCents;
  const needsPass = drop.admission === "token" || drop.admission === "proof";
  const isPreparing = needsPass && buying.passes.states.value.get(drop.dropId) !== "ready";
  return (
    <div class="face asking" role="status">
      <span class="ring-place">
        <span class="spinner large" />
      </span>
      <h2>{say(isPreparing ? "passPreparing" : "asking")}</h2>
      <p class="soft why">{say(isPreparing ? "passPreparingWhy" : "askingWhy")}</p>
      <BoughtLine
        drop={drop}
        room={room}
        quantity={quantity}
        amountCents={amountCents}
        orderId=""
      />
      <PriceLines
        totalCents={totalCents}
        offCents={offCents}
        currency={room.currency.value}
        isBrief
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

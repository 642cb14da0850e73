/** A hold and what became of it. The order's own state, as the server tells it, decides what is drawn. */
import type { JSX } from "preact";
import type { Order } from "#sdk";
import { clock, money } from "../shared/figures.ts";
import { Icon } from "../shared/icons.tsx";
import { TwoStep } from "../shared/two-step.tsx";
import { BoughtLine } from "./bought-line.tsx";
import type { FaceProps } from "./buy-sheet.tsx";
import { aheadOf, unitsLeftForMe } from "./drop-choice.ts";
import { orderWord } from "./drop-words.ts";
import { PayWay } from "./pay-way.tsx";
import { PriceLines } from "./price-lines.tsx";
import { HoldRing, OutcomeMark, PlaceMark } from "./ring.tsx";
import { shareShow } from "./sharing.ts";
import { say } from "./words.ts";

type OrderFaceProps = FaceProps & { readonly order: Order };

export function OrderFace(props: OrderFaceProps): JSX.Element {
  const { order, buying } = props;
  const isPaying = order.state === "paying" || (order.state === "held" && buying.isPaying.value);
  const state = isPaying ? "paying" : order.state;
  // An order in line has no amount yet.
  const totalCents =
    order.amountCents + order.discountCents || props.drop.priceCents * order.quantity;
  return (
    <div class={`face ${state}`}>
      <span class="ring-place">
        <Mark {...props} state={state} />
      </span>
      <h2 data-testid="order-state" data-state={state}>
        {isPaying ? say("statePaying") : orderWord(order)}
      </h2>
      <p class="soft why">{whyOf(props, state)}</p>
      <BoughtLine
        drop={props.drop}
        room={props.room}
        quantity={order.quantity}
        amountCents={totalCents - order.discountCents}
        orderId={order.orderId}
      />
      <PriceLines
        totalCents={totalCents}
        offCents={order.discountCents}
        currency={props.room.currency.value}
        isPaid={state === "sold"}
        isBrief
      />
      <Next {...props} state={state} />
    </div>
  );
}

type Staged = OrderFaceProps & { readonly state: Order["state"] };

function Mark({ state, order, drop, room }: Staged): JSX.Element {
  if (state === "held") return <HoldRing order={order} holdMs={drop.holdMs} room={room} />;
  if (state === "paying") return <span class="spinner large" />;
  if (state === "waiting") return <PlaceMark place={aheadOf(order, drop) + 1} />;
  return <OutcomeMark isGood={state === "sold"} />;
}

function whyOf({ drop, order, buying }: OrderFaceProps, state: Order["state"]): string {
  switch (state) {
    case "waiting": {
      const ahead = aheadOf(order, drop);
      return ahead === 0 ? say("waitingNext") : say("waitingAhead", { n: ahead });
    }
    case "held":
      if (buying.payNote.value === "none" && buying.fullPriceHoldId.value === order.holdId)
        return say("couponDropped");
      return { none: say("heldWhy"), noAnswer: say("payNoAnswer"), declined: say("payDeclined") }[
        buying.payNote.value
      ];
    case "paying":
      return say("payingWhy");
    case "sold":
      return say("soldWhy");
    case "expired":
      return say("expiredWhy", { clock: clock(drop.holdMs) });
    case "cancelled":
      return say("cancelledWhy");
    case "paid_late":
      return say("lateWhy");
    case "refunded":
      return say("refundedWhy");
  }
}

function Next(props: Staged): JSX.Element {
  const { state, order, drop, room, buying, onBag } = props;
  const amount = money(order.amountCents, room.currency.value);
  if (state === "held" || state === "paying") {
    const isPaying = state === "paying";
    return (
      <>
        <PayWay />
        <button
          type="button"
          class="button main wide tall"
          data-testid="pay"
          disabled={isPaying || room.connection.value !== "live"}
          onClick={() => buying.pay(order)}
        >
          {isPaying && <span class="spinner" />}
          {room.connection.value === "live"
            ? say(isPaying ? "statePaying" : "pay", { amount })
            : say("offline")}
        </button>
        <TwoStep
          class="bare wide"
          words={say("giveUp")}
          question={say("giveUpSure")}
          onSure={() => buying.giveUp(order)}
          disabled={isPaying}
        />
      </>
    );
  }
  if (state === "waiting") {
    return (
      <>
        <button type="button" class="button main wide tall" onClick={buying.dismiss}>
          {say("keepWatching")}
        </button>
        <TwoStep
          class="bare wide"
          words={say("leaveLine")}
          question={say("leaveSure")}
          onSure={() => buying.giveUp(order)}
        />
      </>
    );
  }
  if (state === "sold") {
    return (
      <div class="two">
        <button type="button" class="button tall" onClick={() => void shareShow(room)}>
          <Icon name="share" size={20} />
          {say("shareBuy")}
        </button>
        <button type="button" class="button main tall" onClick={buying.dismiss}>
          {say("keepWatching")}
        </button>
      </div>
    );
  }
  const canBuyAgain =
    drop.state === "open" && drop.available > 0 && unitsLeftForMe(drop, room.orders.value) > 0;
  return (
    <div class="two">
      <button type="button" class="button tall" onClick={onBag}>
        {say("seeBag")}
      </button>
      {canBuyAgain ? (
        <button type="button" class="button main tall" onClick={() => buying.buy(drop)}>
          {say("buyAgain")}
        </button>
      ) : (
        <button type="button" class="button main tall" onClick={buying.dismiss}>
          {say("ok")}
        </button>
      )}
    </div>
  );
}

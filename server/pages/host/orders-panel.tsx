/** The newest orders; a refund takes two taps. What it gave back is told by the order's own state. */
import type { JSX } from "preact";
import { count, money, timeOfDay } from "../shared/figures.ts";
import type { Room } from "../shared/room.ts";
import { TwoStep } from "../shared/two-step.tsx";
import type { Actions, SoldOrder } from "./actions.ts";
import type { Sales } from "./sales.ts";
import { attempt } from "./trouble.tsx";
import { OrderFlags } from "./order-flags.tsx";
import { say } from "./words.ts";

interface PanelProps {
  readonly room: Room;
  readonly actions: Actions;
  readonly sales: Sales;
}

export function OrdersPanel(props: PanelProps): JSX.Element {
  const { sales } = props;
  const recent = sales.recent.value;
  return (
    <section class="panel orders" data-testid="orders">
      <div class="panel-head">
        <h2>{say("orders")}</h2>
        <span class="chip">{count(sales.now.value.orders)}</span>
        {sales.now.value.orders > recent.length && (
          <small class="soft">{say("newestOrders", { n: recent.length })}</small>
        )}
      </div>
      {recent.length === 0 ? (
        <p class="soft">{say("noOrders")}</p>
      ) : (
        <ul>
          {recent.map((order) => (
            <OrderRow key={order.orderId} order={order} {...props} />
          ))}
        </ul>
      )}
    </section>
  );
}

function OrderRow(props: PanelProps & { order: SoldOrder }): JSX.Element {
  const { order, room, actions, sales } = props;
  const { orderId, sku, quantity, amountCents, atMs, state, flags } = order;
  const title = room.products.value.get(sku)?.title ?? sku;
  const refund = async (): Promise<void> => {
    await attempt(actions.refund(orderId));
    sales.refresh();
  };
  return (
    <li class="order-row" data-state={state}>
      <span class="order-row-words">
        <b>{title}</b>
        <span class="soft">
          {flags.length > 0 && <OrderFlags flags={flags} />}
          {orderId} · {timeOfDay(atMs)} · {say("orderUnits", { n: quantity })}
        </span>
      </span>
      <strong>{money(amountCents, room.currency.value)}</strong>
      {state === "sold" ? (
        <TwoStep
          class="refund"
          words={say("refund")}
          question={say("refundSure")}
          onSure={() => void refund()}
        />
      ) : (
        <span class={`chip ${state === "refunded" ? "" : "warn"}`}>
          {say(state === "refunded" ? "refunded" : "refunding")}
        </span>
      )}
    </li>
  );
}

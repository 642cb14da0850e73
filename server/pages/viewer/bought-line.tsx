/** What is being bought, in one line: picture, title, units, order number, amount. */
import type { JSX } from "preact";
import type { Drop } from "#sdk";
import { money } from "../shared/figures.ts";
import { Picture } from "../shared/picture.tsx";
import type { Room } from "../shared/room.ts";
import { say } from "./words.ts";

export function BoughtLine(props: {
  drop: Drop;
  room: Room;
  quantity: number;
  amountCents: number;
  /** Empty until there is one. */
  orderId: string;
}): JSX.Element {
  const { drop, room, quantity, amountCents, orderId } = props;
  return (
    <div class="order-line">
      <Picture url={room.products.value.get(drop.sku)?.imageUrl ?? ""} sizePx={52} />
      <div>
        <p class="order-title">{drop.title}</p>
        <p class="soft apart">
          <span>{say("units", { n: quantity })}</span>
          {orderId !== "" && <span>{`${say("orderNo")} ${orderId}`}</span>}
        </p>
      </div>
      <strong>{money(amountCents, room.currency.value)}</strong>
    </div>
  );
}

/**
 * What is on sale over the picture: coupons to take, the pinned products, the drop with its clock, stock and button. A pinned product that
 * is in the drop is drawn once.
 */
import type { JSX } from "preact";
import type { Drop, Product } from "#sdk";
import { useDerived } from "../shared/derived.ts";
import { clock, clockOrDate } from "../shared/figures.ts";
import { Icon } from "../shared/icons.tsx";
import { Picture } from "../shared/picture.tsx";
import { Price, WasPrice } from "../shared/price.tsx";
import type { Room } from "../shared/room.ts";
import { StockBar } from "../shared/stock-bar.tsx";
import { BuyButton } from "./buy-button.tsx";
import type { Buying } from "./buying.ts";
import { CouponRow } from "./coupon-row.tsx";
import type { Coupons } from "./coupons.ts";
import { dropOnShow, orderIn } from "./drop-choice.ts";
import { orderWord, stockWords } from "./drop-words.ts";
import { PassLine } from "./pass-line.tsx";
import { say } from "./words.ts";

export function Showcase(props: { room: Room; buying: Buying; coupons: Coupons }): JSX.Element {
  const { room, buying, coupons } = props;
  const dropId = useDerived(
    () => dropOnShow(room.drops.value, room.orders.value, room.nowMs.value)?.dropId,
    [room],
  ).value;
  const drop = dropId === undefined ? undefined : room.drops.value.get(dropId);
  const pinned = room.pinned.value
    .map((sku) => room.products.value.get(sku))
    .filter((product): product is Product => product !== undefined);
  const others = pinned.filter((product) => product.sku !== drop?.sku);
  const isDropPinnedFirst = pinned.length === 0 || pinned[0]?.sku === drop?.sku;
  return (
    <div class="showcase">
      <CouponRow room={room} coupons={coupons} />
      {others.length > 0 && (
        <ul class="pinned-row">
          {others.map((product, i) => (
            <PinnedCard
              key={product.sku}
              product={product}
              room={room}
              isNow={i === 0 && !(drop && isDropPinnedFirst)}
            />
          ))}
        </ul>
      )}
      {drop !== undefined && (
        <DropCard drop={drop} room={room} buying={buying} isProductCard={isDropPinnedFirst} />
      )}
    </div>
  );
}

function PinnedCard(props: { product: Product; room: Room; isNow: boolean }): JSX.Element {
  const { product, room, isNow } = props;
  return (
    <li class="pinned-card glass" data-testid={isNow ? "product-card" : undefined}>
      <Picture url={product.imageUrl} sizePx={48} />
      <div>
        <h3>{product.title}</h3>
        <p>
          <Price cents={product.priceCents} currency={room.currency.value} />
          <span class="chip on-show">{say("showingNow")}</span>
        </p>
      </div>
    </li>
  );
}

interface DropProps {
  readonly drop: Drop;
  readonly room: Room;
  readonly buying: Buying;
}

function DropCard(props: DropProps & { isProductCard: boolean }): JSX.Element {
  const { drop, room, buying, isProductCard } = props;
  const currency = room.currency.value;
  const imageUrl = room.products.value.get(drop.sku)?.imageUrl ?? "";
  return (
    <section
      class={`drop glass ${drop.state}`}
      data-drop={drop.dropId}
      aria-label={say("dropLabel", { title: drop.title })}
    >
      <div class="drop-head">
        <button
          type="button"
          class="drop-product"
          data-testid={isProductCard ? "product-card" : undefined}
          onClick={() => buying.choose(drop)}
        >
          <Picture url={imageUrl} sizePx={60} />
          <span class="drop-words">
            <span class="drop-title">{drop.title}</span>
            <span class="drop-price">
              <Price cents={drop.priceCents} currency={currency} />
              <WasPrice wasCents={drop.wasCents} cents={drop.priceCents} currency={currency} />
            </span>
          </span>
        </button>
        <BuyButton drop={drop} room={room} buying={buying} testId="buy" />
      </div>
      <StockBar drop={drop} />
      <div class="drop-foot">
        <Countdown drop={drop} room={room} />
        <span class={`stock ${drop.available === 0 ? "gone" : ""}`} data-testid="stock">
          {stockWords(drop)}
        </span>
      </div>
      <PassLine drop={drop} buying={buying} />
      <OwnOrder drop={drop} room={room} buying={buying} />
    </section>
  );
}

function Countdown(props: { drop: Drop; room: Room }): JSX.Element {
  const { drop, room } = props;
  const words = useDerived(() => {
    const nowMs = room.nowMs.value;
    if (drop.state === "voided") return say("dropVoided");
    if (drop.state === "closed" || nowMs >= drop.endsAtMs) return say("dropOver");
    const isAhead = drop.state === "announced" && nowMs < drop.startsAtMs;
    return isAhead
      ? `${say("startsIn")} ${clockOrDate(drop.startsAtMs, nowMs)}`
      : `${say("endsIn")} ${clockOrDate(drop.endsAtMs, nowMs)}`;
  }, [drop, room]);
  const isLastSeconds = useDerived(() => {
    const leftMs = drop.startsAtMs - room.nowMs.value;
    return drop.state === "announced" && leftMs > 0 && leftMs <= 10_000;
  }, [drop, room]);
  return (
    <span
      class={`countdown ${isLastSeconds.value ? "breathing" : ""}`}
      data-testid="drop-countdown"
      role="timer"
    >
      <Icon name="clock" size={14} weight={2} />
      {words.value}
    </span>
  );
}

/** This viewer's own order in the drop, in words, while the sheet that shows it is down. */
function OwnOrder({ drop, room, buying }: DropProps): JSX.Element | null {
  const order = orderIn(drop, room.orders.value);
  const left = useDerived(
    () => (order?.state === "held" ? clock(order.deadlineMs - room.nowMs.value) : ""),
    [order, room],
  );
  const face = buying.face.value;
  if (order === undefined || (face.kind === "order" && face.holdId === order.holdId)) return null;
  return (
    <button
      type="button"
      class={`own-order ${order.state}`}
      onClick={() => buying.showOrder(order.holdId)}
    >
      <Icon name={order.state === "sold" ? "check" : "receipt"} size={16} weight={2} />
      <span data-testid="order-state" data-state={order.state}>
        {orderWord(order)}
      </span>
      {left.value !== "" && (
        <span data-testid="hold-timer" class="own-order-left">
          {left.value}
        </span>
      )}
      {order.orderId !== "" && <span class="soft">{order.orderId}</span>}
      <Icon name="next" size={16} />
    </button>
  );
}

/** The bag: own orders, then all products with their price, stock word and what can be done now. A sheet on phones, a column on desks. */
import type { JSX } from "preact";
import { type Signal, useSignal } from "@preact/signals";
import type { Order, Product } from "#sdk";
import { money } from "../shared/figures.ts";
import { Icon } from "../shared/icons.tsx";
import { Picture } from "../shared/picture.tsx";
import { Price, WasPrice } from "../shared/price.tsx";
import type { Room } from "../shared/room.ts";
import { Sheet } from "../shared/sheet.tsx";
import { BuyButton } from "./buy-button.tsx";
import type { Buying } from "./buying.ts";
import { dropOnShow } from "./drop-choice.ts";
import { orderWord, stockWords } from "./drop-words.ts";
import { say } from "./words.ts";

/** Fewer products than this are found by looking. */
const SEARCH_FROM = 7;

interface BagProps {
  readonly room: Room;
  readonly buying: Buying;
}

export function BagSheet(props: BagProps & { isOpen: Signal<boolean> }): JSX.Element {
  const { isOpen, room, buying } = props;
  const close = (): void => {
    isOpen.value = false;
  };
  return (
    <Sheet isOpen={isOpen.value} label={say("bag")} onClose={close} class="bag-sheet">
      {isOpen.value && <BagPanel room={room} buying={buying} onChosen={close} />}
    </Sheet>
  );
}

export function BagPanel(props: BagProps & { onChosen?: () => void }): JSX.Element {
  const { room, buying, onChosen } = props;
  const wanted = useSignal("");
  const category = useSignal("");
  const all = [...room.products.value.values()];
  const categories = [
    ...new Set(all.map((product) => product.category).filter((name) => name !== "")),
  ];
  const shown = all.filter((product) => isWanted(product, wanted.value, category.value));
  const orders = [...room.orders.value.values()].toReversed();
  return (
    <div class="bag">
      <h2>
        {say("bag")} <span class="soft">{all.length}</span>
      </h2>
      {all.length >= SEARCH_FROM && (
        <label class="bag-search">
          <Icon name="search" size={18} />
          <input
            type="search"
            placeholder={say("search")}
            aria-label={say("search")}
            value={wanted.value}
            onInput={(event) => (wanted.value = event.currentTarget.value)}
          />
        </label>
      )}
      {categories.length > 1 && (
        <div class="bag-categories" role="group">
          {["", ...categories].map((name) => (
            <button
              type="button"
              key={name}
              aria-pressed={category.value === name}
              onClick={() => (category.value = name)}
            >
              {name === "" ? say("allCategories") : name}
            </button>
          ))}
        </div>
      )}
      <div class="bag-scroll">
        {orders.length > 0 && (
          <Orders orders={orders} room={room} buying={buying} onChosen={onChosen} />
        )}
        {all.length === 0 && (
          <div class="bag-empty">
            <Icon name="bag" size={48} weight={1.25} />
            <p>{say("bagEmpty")}</p>
            <p class="soft">{say("bagEmptyWhy")}</p>
          </div>
        )}
        {all.length > 0 && shown.length === 0 && (
          <p class="bag-empty soft">{say("noMatch", { text: wanted.value })}</p>
        )}
        <ul class="bag-list">
          {shown.map((product) => (
            <BagRow
              key={product.sku}
              product={product}
              room={room}
              buying={buying}
              onChosen={onChosen}
            />
          ))}
        </ul>
      </div>
    </div>
  );
}

const isWanted = (product: Product, words: string, category: string): boolean =>
  (category === "" || product.category === category) &&
  product.title.toLocaleLowerCase().includes(words.trim().toLocaleLowerCase());

function BagRow(
  props: BagProps & { product: Product; onChosen: (() => void) | undefined },
): JSX.Element {
  const { product, room, buying, onChosen } = props;
  const currency = room.currency.value;
  const ofProduct = new Map([...room.drops.value].filter(([, drop]) => drop.sku === product.sku));
  const drop = dropOnShow(ofProduct, room.orders.value, room.live.now());
  const isOnShow = room.pinned.value.includes(product.sku);
  return (
    <li
      class="bag-row"
      onClick={(event) => {
        if ((event.target as Element).closest("button") !== null) onChosen?.();
      }}
    >
      <Picture url={product.imageUrl} sizePx={72} />
      <div class="bag-words">
        <h3>{product.title}</h3>
        <p class="bag-stock soft">{drop === undefined ? say("notInDrop") : stockWords(drop)}</p>
        <p class="drop-price">
          <Price cents={drop?.priceCents ?? product.priceCents} currency={currency} />
          {drop !== undefined && (
            <WasPrice wasCents={drop.wasCents} cents={drop.priceCents} currency={currency} />
          )}
        </p>
      </div>
      {drop === undefined ? (
        isOnShow && <span class="chip on-show">{say("showingNow")}</span>
      ) : (
        <BuyButton drop={drop} room={room} buying={buying} />
      )}
    </li>
  );
}

function Orders(
  props: BagProps & { orders: readonly Order[]; onChosen: (() => void) | undefined },
): JSX.Element {
  const { orders, room, buying, onChosen } = props;
  return (
    <section class="bag-orders">
      <h3>{say("myOrders")}</h3>
      <ul>
        {orders.map((order) => (
          <li key={order.holdId}>
            <button
              type="button"
              onClick={() => {
                onChosen?.();
                buying.showOrder(order.holdId);
              }}
            >
              <span class={`dot ${order.state}`} aria-hidden="true" />
              <span class="bag-order-words">
                {room.drops.value.get(order.dropId)?.title ?? order.dropId}
                <small class="apart">
                  <span>{orderWord(order)}</span>
                  {order.orderId !== "" && <span>{order.orderId}</span>}
                </small>
              </span>
              <strong>{money(order.amountCents, room.currency.value)}</strong>
              <Icon name="next" size={18} />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

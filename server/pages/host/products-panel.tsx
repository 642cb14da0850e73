/** The bag as the host works it: pin what is being shown (up to three), or take a product into the drop form. */
import type { JSX } from "preact";
import type { Product } from "#sdk";
import { money } from "../shared/figures.ts";
import { Icon } from "../shared/icons.tsx";
import { Picture } from "../shared/picture.tsx";
import type { Room } from "../shared/room.ts";
import type { Actions } from "./actions.ts";
import type { DropDraft } from "./drop-draft.ts";
import { attempt } from "./trouble.tsx";
import { say } from "./words.ts";

interface PanelProps {
  readonly room: Room;
  readonly actions: Actions;
  readonly draft: DropDraft;
}

export function ProductsPanel(props: PanelProps): JSX.Element {
  const products = [...props.room.products.value.values()];
  return (
    <section class="panel products">
      <div class="panel-head">
        <h2>{say("products")}</h2>
        <span class="chip">{products.length}</span>
      </div>
      {products.length === 0 && <p class="soft">{say("noProducts")}</p>}
      <ul>
        {products.map((product) => (
          <ProductRow key={product.sku} product={product} {...props} />
        ))}
      </ul>
    </section>
  );
}

function ProductRow(props: PanelProps & { product: Product }): JSX.Element {
  const { product, room, actions, draft } = props;
  const isPinned = room.pinned.value.includes(product.sku);
  return (
    <li class="product-row">
      <Picture url={product.imageUrl} sizePx={48} />
      <div class="product-words">
        <h3>{product.title}</h3>
        <p class="soft">
          <span>{money(product.priceCents, room.currency.value)}</span>
          <span>{say("stockLeft", { n: product.stock })}</span>
        </p>
      </div>
      <button type="button" class="button bare" onClick={() => draft.take(product)}>
        {say("prepareDrop")}
      </button>
      <button
        type="button"
        class={`button pin ${isPinned ? "pinned" : ""}`}
        data-testid={`pin-${product.sku}`}
        aria-pressed={isPinned}
        onClick={() =>
          void attempt(isPinned ? actions.unpin(product.sku) : actions.pin(product.sku))
        }
      >
        <Icon name="pin" size={18} solid={isPinned} />
        {say(isPinned ? "unpin" : "pin")}
      </button>
    </li>
  );
}

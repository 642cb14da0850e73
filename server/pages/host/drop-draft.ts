/** The drop being set up: what is typed, as typed, and how it becomes a request. Survives a change of product where it can. */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Product } from "#sdk";
import type { Room } from "../shared/room.ts";
import type { NewDrop } from "./actions.ts";

/** Names of the request's fields, so that a refusal finds its place. */
export type DraftField = keyof NewDrop;
export type Draft = Readonly<Record<Exclude<DraftField, "admission">, string>> &
  Pick<NewDrop, "admission">;

export interface DropDraft {
  readonly draft: ReadonlySignal<Draft>;
  readonly write: (field: DraftField, text: string) => void;
  /** Starts over with a product: its price, and as many units as it has, up to 30. */
  readonly take: (product: Product) => void;
  /** The fields that are not numbers, or the request. */
  readonly read: () => { readonly wrong: readonly DraftField[] } | { readonly drop: NewDrop };
}

const USUAL_UNITS = 30;
const SECOND_MS = 1000;
const MINUTE_MS = 60_000;

const EMPTY: Draft = {
  sku: "",
  priceCents: "",
  allotment: "",
  perBuyerLimit: "1",
  holdMs: "120",
  startsAtMs: "30",
  endsAtMs: "5",
  admission: "open",
};

export function createDraft(room: Room): DropDraft {
  const draft = signal<Draft>(EMPTY);
  const take = (product: Product): void => {
    draft.value = {
      ...draft.value,
      sku: product.sku,
      priceCents: String(product.priceCents / 100),
      allotment: String(Math.max(1, Math.min(USUAL_UNITS, product.stock))),
    };
  };
  const first =
    room.products.value.get(room.pinned.value[0] ?? "") ?? [...room.products.value.values()][0];
  if (first !== undefined) take(first);
  return {
    draft,
    take,
    write: (field, text) => {
      draft.value = { ...draft.value, [field]: text };
    },
    read: () => {
      const { sku, admission, ...typed } = draft.value;
      const wrong = (Object.keys(typed) as (keyof typeof typed)[]).filter(
        (field) => typed[field].trim() === "" || !Number.isFinite(Number(typed[field])),
      );
      if (wrong.length > 0) return { wrong };
      const startsAtMs = Math.round(room.live.now() + Number(typed.startsAtMs) * SECOND_MS);
      return {
        drop: {
          sku,
          priceCents: Math.round(Number(typed.priceCents) * 100),
          allotment: Number(typed.allotment),
          perBuyerLimit: Number(typed.perBuyerLimit),
          holdMs: Math.round(Number(typed.holdMs) * SECOND_MS),
          startsAtMs,
          admission,
          endsAtMs: Math.round(startsAtMs + Number(typed.endsAtMs) * MINUTE_MS),
        },
      };
    },
  };
}

/** The next coupon: title, what it takes off, budget, least spend, product. Says how many claims the budget covers as one types. */
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { ApiRefusal } from "../shared/http.ts";
import { Icon } from "../shared/icons.tsx";
import type { Room } from "../shared/room.ts";
import type { Actions } from "./actions.ts";
import { Field } from "./field.tsx";
import { tell, wordsBeside, wordsOfFault } from "./trouble.tsx";
import { say } from "./words.ts";

/** Names of the request's fields, so that a refusal finds its place. Money in the show's currency, as typed. */
const EMPTY = { title: "", offCents: "", budgetCents: "", minSpendCents: "0", sku: "" };
const MONEY = ["offCents", "budgetCents", "minSpendCents"] as const;
type CouponField = keyof typeof EMPTY;

const centsOf = (typed: string): number =>
  typed.trim() === "" ? Number.NaN : Math.round(Number(typed) * 100);

export function CouponForm(props: { room: Room; actions: Actions }): JSX.Element {
  const { room, actions } = props;
  const typed = useSignal<typeof EMPTY>(EMPTY);
  const refusals = useSignal<Readonly<Partial<Record<CouponField | "all", string>>>>({});
  const isSending = useSignal(false);
  const now = typed.value;
  const claims = Math.floor(centsOf(now.budgetCents) / centsOf(now.offCents));

  const write = (field: CouponField, text: string): void => {
    typed.value = { ...typed.value, [field]: text };
  };
  const send = async (): Promise<void> => {
    const { title, sku } = typed.value;
    const wrong = MONEY.filter((field) => !Number.isFinite(centsOf(typed.value[field])));
    refusals.value = {
      ...Object.fromEntries(wrong.map((field) => [field, say("needNumber")])),
      ...(title.trim() === "" && { title: say("needTitle") }),
    };
    if (Object.keys(refusals.value).length > 0) return;
    isSending.value = true;
    try {
      const [offCents, budgetCents, minSpendCents] = MONEY.map((field) =>
        centsOf(typed.value[field]),
      ) as [number, number, number];
      await actions.makeCoupon({ title: title.trim(), sku, offCents, budgetCents, minSpendCents });
      typed.value = EMPTY;
      tell(say("couponMade"), true);
    } catch (fault) {
      refusals.value =
        fault instanceof ApiRefusal && fault.field in EMPTY
          ? { [fault.field]: wordsBeside(fault) }
          : { all: wordsOfFault(fault) };
    } finally {
      isSending.value = false;
    }
  };
  const amount = (field: (typeof MONEY)[number], label: string): JSX.Element => (
    <Field label={label} refusal={refusals.value[field]}>
      <span class="field-unit">
        <input
          type="number"
          name={field}
          inputMode="decimal"
          min="0"
          step="any"
          value={now[field]}
          aria-invalid={refusals.value[field] !== undefined}
          onInput={(event) => write(field, event.currentTarget.value)}
        />
        <i>{room.currency.value}</i>
      </span>
    </Field>
  );
  return (
    <form
      class="drop-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <Field label={say("couponTitle")} refusal={refusals.value.title} class="two-wide">
        <input
          name="title"
          value={now.title}
          maxLength={120}
          placeholder={say("couponTitleHint")}
          autocomplete="off"
          aria-invalid={refusals.value.title !== undefined}
          onInput={(event) => write("title", event.currentTarget.value)}
        />
      </Field>
      {amount("offCents", say("couponOff"))}
      {amount("budgetCents", say("couponBudget"))}
      {amount("minSpendCents", say("couponMin"))}
      <Field label={say("product")} refusal={refusals.value.sku}>
        <span class="field-select">
          <select
            name="couponSku"
            value={now.sku}
            onChange={(event) => write("sku", event.currentTarget.value)}
          >
            <option value="">{say("anyProduct")}</option>
            {[...room.products.value.values()].map((product) => (
              <option key={product.sku} value={product.sku}>
                {product.title}
              </option>
            ))}
          </select>
          <Icon name="down" size={20} />
        </span>
      </Field>
      <button
        type="submit"
        class="button main two-wide beside-fields"
        data-testid="coupon-make"
        disabled={isSending.value || room.state.value === "ended"}
      >
        {Number.isFinite(claims) && claims > 0
          ? say("makeCoupons", { n: claims })
          : say("makeCoupon")}
      </button>
      {refusals.value.all !== undefined && (
        <p class="field-refusal all-wide" role="alert">
          {refusals.value.all}
        </p>
      )}
    </form>
  );
}

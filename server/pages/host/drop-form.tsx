/** Sets up a drop. A refusal stands beside the field it names, in the server's words. */
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { ApiRefusal } from "../shared/http.ts";
import { Icon } from "../shared/icons.tsx";
import type { Room } from "../shared/room.ts";
import type { Actions } from "./actions.ts";
import { AdmissionChoice } from "./admission-choice.tsx";
import { Field } from "./field.tsx";
import type { DraftField, DropDraft } from "./drop-draft.ts";
import { tell, wordsBeside, wordsOfFault } from "./trouble.tsx";
import { say } from "./words.ts";

type Refusals = Readonly<Partial<Record<DraftField | "all", string>>>;

export function DropForm(props: { room: Room; actions: Actions; draft: DropDraft }): JSX.Element {
  const { room, actions, draft } = props;
  const refusals = useSignal<Refusals>({});
  const isSending = useSignal(false);
  const products = [...room.products.value.values()];
  const now = draft.draft.value;

  const send = async (): Promise<void> => {
    const read = draft.read();
    if ("wrong" in read) {
      refusals.value = Object.fromEntries(read.wrong.map((field) => [field, say("needNumber")]));
      return;
    }
    refusals.value = {};
    isSending.value = true;
    try {
      await actions.startDrop(read.drop);
      tell(say("dropStarted"), true);
    } catch (fault) {
      refusals.value =
        fault instanceof ApiRefusal && fault.field in now
          ? { [fault.field]: wordsBeside(fault) }
          : { all: wordsOfFault(fault) };
    } finally {
      isSending.value = false;
    }
  };
  const input = (field: DraftField, label: string, unit: string): JSX.Element => (
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
          onInput={(event) => draft.write(field, event.currentTarget.value)}
        />
        <i>{unit}</i>
      </span>
    </Field>
  );
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>{say("newDrop")}</h2>
      </div>
      <form
        class="drop-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <Field label={say("product")} refusal={refusals.value.sku} class="two-wide">
          <span class="field-select">
            <select
              name="sku"
              value={now.sku}
              aria-invalid={refusals.value.sku !== undefined}
              onChange={(event) => {
                const product = room.products.value.get(event.currentTarget.value);
                if (product !== undefined) draft.take(product);
              }}
            >
              {products.map((product) => (
                <option key={product.sku} value={product.sku}>
                  {product.title}
                </option>
              ))}
            </select>
            <Icon name="down" size={20} />
          </span>
        </Field>
        {input("priceCents", say("price"), room.currency.value)}
        {input("allotment", say("units"), say("unitPieces"))}
        {input("perBuyerLimit", say("limit"), say("unitPieces"))}
        {input("holdMs", say("holdSeconds"), say("unitSeconds"))}
        {input("startsAtMs", say("startsAfter"), say("unitSeconds"))}
        {input("endsAtMs", say("lastsFor"), say("unitMinutes"))}
        <AdmissionChoice draft={draft} refusal={refusals.value.admission} />
        {refusals.value.all !== undefined && (
          <p class="field-refusal all-wide" role="alert">
            {refusals.value.all}
          </p>
        )}
        <button
          type="submit"
          class="button main tall all-wide"
          data-testid="drop-start"
          disabled={isSending.value || products.length === 0 || room.state.value === "ended"}
        >
          <Icon name="bolt" size={20} solid />
          {say(isSending.value ? "startingDrop" : "startDrop")}
        </button>
      </form>
    </section>
  );
}

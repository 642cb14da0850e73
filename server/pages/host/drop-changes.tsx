/** What may be done to a drop under way: more units, an early end, or annulling it with a reason. None of it is one tap away. */
import type { JSX } from "preact";
import { type Signal, useSignal } from "@preact/signals";
import type { Drop } from "#sdk";
import { ApiRefusal } from "../shared/http.ts";
import { TwoStep } from "../shared/two-step.tsx";
import type { Actions } from "./actions.ts";
import { Field } from "./field.tsx";
import { attempt, tell, wordsOfFault } from "./trouble.tsx";
import { say } from "./words.ts";

type Change = "none" | "restock" | "void";
interface ChangeProps {
  readonly drop: Drop;
  readonly actions: Actions;
  readonly change: Signal<Change>;
}

export function DropChanges(props: { drop: Drop; actions: Actions }): JSX.Element | null {
  const { drop, actions } = props;
  const change = useSignal<Change>("none");
  if (drop.state === "voided") return null;
  const isClosed = drop.state === "closed";
  const opener = (which: Change, words: string): JSX.Element => (
    <button
      type="button"
      class="button"
      aria-expanded={change.value === which}
      data-testid={`${which}-open`}
      onClick={() => (change.value = change.value === which ? "none" : which)}
    >
      {words}
    </button>
  );
  return (
    <>
      <div class="drop-changes">
        {!isClosed && opener("restock", say("restock"))}
        {!isClosed && (
          <TwoStep
            words={say("closeDrop")}
            question={say("closeSure")}
            onSure={() => void attempt(actions.closeDrop(drop.dropId))}
          />
        )}
        {opener("void", say("voidDrop"))}
      </div>
      {change.value === "restock" && !isClosed && <Restock {...props} change={change} />}
      {change.value === "void" && <Void {...props} change={change} />}
    </>
  );
}

function Restock({ drop, actions, change }: ChangeProps): JSX.Element {
  const units = useSignal("10");
  const refusal = useSignal<string | undefined>(undefined);
  const send = async (): Promise<void> => {
    const n = Number(units.value);
    if (!Number.isInteger(n) || n < 1) {
      refusal.value = say("needNumber");
      return;
    }
    try {
      await actions.restock(drop.dropId, n);
      change.value = "none";
      tell(say("restocked", { n }), true);
    } catch (fault) {
      const words = wordsOfFault(fault);
      if (fault instanceof ApiRefusal && fault.field === "units") refusal.value = words;
      else tell(words);
    }
  };
  return (
    <form
      class="drop-change"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <Field label={say("restockUnits")} refusal={refusal.value}>
        <span class="field-unit">
          <input
            type="number"
            name="units"
            inputMode="numeric"
            min="1"
            value={units.value}
            aria-invalid={refusal.value !== undefined}
            onInput={(event) => (units.value = event.currentTarget.value)}
          />
          <i>{say("unitPieces")}</i>
        </span>
      </Field>
      <button type="submit" class="button main beside-fields" data-testid="restock">
        {say("restock")}
      </button>
    </form>
  );
}

function Void({ drop, actions, change }: ChangeProps): JSX.Element {
  const reason = useSignal("");
  const send = async (): Promise<void> => {
    if (!(await attempt(actions.voidDrop(drop.dropId, reason.value.trim())))) return;
    change.value = "none";
    tell(say("voidDone"), true);
  };
  return (
    <div class="drop-change">
      <Field label={say("voidReason")} refusal={undefined}>
        <input
          name="reason"
          value={reason.value}
          maxLength={200}
          placeholder={say("voidReasonHint")}
          autocomplete="off"
          onInput={(event) => (reason.value = event.currentTarget.value)}
        />
      </Field>
      <TwoStep
        class="stop beside-fields"
        words={say("voidDrop")}
        question={drop.sold > 0 ? say("voidRefundSure", { n: drop.sold }) : say("voidSure")}
        disabled={reason.value.trim() === ""}
        onSure={() => void send()}
      />
      <p class="soft">{say("voidWhy")}</p>
    </div>
  );
}

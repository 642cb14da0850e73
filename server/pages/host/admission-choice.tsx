/** Who may buy in a drop: everybody, or who has shown something first. What it means for buyers stands beneath. */
import type { JSX } from "preact";
import type { Drop } from "#sdk";
import { Icon } from "../shared/icons.tsx";
import type { DropDraft } from "./drop-draft.ts";
import { Field } from "./field.tsx";
import { say } from "./words.ts";

const WORDS = {
  open: ["admissionOpen", "admissionOpenWhy"],
  flagged: ["admissionFlagged", "admissionFlaggedWhy"],
  token: ["admissionToken", "admissionTokenWhy"],
  proof: ["admissionProof", "admissionProofWhy"],
} as const satisfies Record<Drop["admission"], readonly [string, string]>;

const CHOICES = Object.keys(WORDS) as Drop["admission"][];

export function AdmissionChoice(props: {
  draft: DropDraft;
  refusal: string | undefined;
}): JSX.Element {
  const { draft, refusal } = props;
  const chosen = draft.draft.value.admission;
  return (
    <Field label={say("admission")} refusal={refusal} class="all-wide">
      <>
        <span class="field-select">
          <select
            name="admission"
            value={chosen}
            onChange={(event) => draft.write("admission", event.currentTarget.value)}
          >
            {CHOICES.map((choice) => (
              <option key={choice} value={choice}>
                {say(WORDS[choice][0])}
              </option>
            ))}
          </select>
          <Icon name="down" size={20} />
        </span>
        <small class="soft">{say(WORDS[chosen][1])}</small>
      </>
    </Field>
  );
}

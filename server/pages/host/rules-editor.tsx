/** The words this room refuses or stars, who may post links, and who is hidden. Only moderators and the host ever see the lists. */
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { Icon } from "../shared/icons.tsx";
import type { Rules } from "./actions.ts";
import { Field } from "./field.tsx";
import type { Moderation } from "./moderation.ts";
import { tell, wordsOfFault } from "./trouble.tsx";
import { say } from "./words.ts";

type Draft = Readonly<Record<"blockedWords" | "maskedWords" | "links", string>>;

const LINKS = { allow: "linksAllow", hosts: "linksHosts", block: "linksBlock" } as const;

const linesOf = (text: string): readonly string[] =>
  text
    .split(/[\n,，、]/)
    .map((word) => word.trim())
    .filter((word) => word !== "");

export function RulesEditor(props: { moderation: Moderation }): JSX.Element {
  const { moderation } = props;
  const rules = moderation.rules.value;
  /** Typed here and not saved yet, over what the server has. */
  const typed = useSignal<Partial<Draft>>({});
  const refusal = useSignal<string | undefined>(undefined);
  if (rules === undefined) return <p class="soft rules-editor">{say("rulesLoading")}</p>;
  const draft: Draft = {
    blockedWords: rules.blockedWords.join("\n"),
    maskedWords: rules.maskedWords.join("\n"),
    links: rules.links,
    ...typed.value,
  };
  const save = async (): Promise<void> => {
    refusal.value = undefined;
    try {
      await moderation.setRules({
        blockedWords: linesOf(draft.blockedWords),
        maskedWords: linesOf(draft.maskedWords),
        links: draft.links as Rules["links"],
      });
      typed.value = {};
      tell(say("rulesSaved"), true);
    } catch (fault) {
      refusal.value = wordsOfFault(fault);
    }
  };
  const words = (field: "blockedWords" | "maskedWords", label: string): JSX.Element => (
    <Field label={label} refusal={undefined}>
      <textarea
        name={field}
        rows={3}
        spellcheck={false}
        placeholder={say("wordsHint")}
        value={draft[field]}
        onInput={(event) => {
          typed.value = { ...typed.value, [field]: event.currentTarget.value };
        }}
      />
    </Field>
  );
  return (
    <form
      class="rules-editor"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {words("blockedWords", say("blockedWords"))}
      {words("maskedWords", say("maskedWords"))}
      <Field label={say("links")} refusal={undefined}>
        <span class="field-select">
          <select
            name="links"
            value={draft.links}
            onChange={(event) => {
              typed.value = { ...typed.value, links: event.currentTarget.value };
            }}
          >
            {(Object.keys(LINKS) as (keyof typeof LINKS)[]).map((links) => (
              <option key={links} value={links}>
                {say(LINKS[links])}
              </option>
            ))}
          </select>
          <Icon name="down" size={20} />
        </span>
      </Field>
      {refusal.value !== undefined && (
        <p class="field-refusal" role="alert">
          {refusal.value}
        </p>
      )}
      <button
        type="submit"
        class="button main"
        data-testid="rules-save"
        disabled={Object.keys(typed.value).length === 0}
      >
        {say("rulesSave")}
      </button>
      <Shadowed moderation={moderation} />
    </form>
  );
}

function Shadowed(props: { moderation: Moderation }): JSX.Element | null {
  const { moderation } = props;
  const people = [...moderation.shadowed.value];
  if (people.length === 0) return null;
  return (
    <div class="shadowed">
      <span class="soft">{say("shadowedPeople")}</span>
      <ul>
        {people.map(([viewerId, name]) => (
          <li key={viewerId}>
            <b>{name}</b>
            <button
              type="button"
              class="button"
              onClick={() => void moderation.switchShadow(viewerId, name)}
            >
              {say("unshadow")}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

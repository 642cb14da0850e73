/** Switches the page between Chinese and English at once and remembers it. */
import type { JSX } from "preact";
import { COMMON, speak, switchLang } from "./words.ts";

const say = speak(COMMON);

export function LangButton(props: { class?: string }): JSX.Element {
  return (
    <button
      type="button"
      class={props.class ?? "button"}
      data-testid="lang"
      onClick={switchLang}
      aria-label={say("otherLang")}
      title={say("otherLang")}
    >
      {say("otherLangShort")}
    </button>
  );
}

/** Before the start of a drop that asks for a pass: that one is being got ready, and when it is. */
import type { JSX } from "preact";
import type { Drop } from "#sdk";
import { Icon } from "../shared/icons.tsx";
import type { Buying } from "./buying.ts";
import { say } from "./words.ts";

export function PassLine(props: { drop: Drop; buying: Buying }): JSX.Element | null {
  const { drop, buying } = props;
  const state = buying.passes.states.value.get(drop.dropId);
  if (state === undefined || drop.state !== "announced") return null;
  return (
    <p class={`pass-line ${state}`} data-testid="pass" data-pass={state} role="status">
      {state === "ready" ? <Icon name="check" size={16} weight={2} /> : <span class="spinner" />}
      {say(state === "ready" ? "passReady" : "passPreparing")}
    </p>
  );
}

/** A mark on an order that was bought oddly, with the reasons in words. It is sold all the same: what to do is for the shop to say. */
import type { JSX } from "preact";
import { say } from "./words.ts";

const WORDS = {
  manyViewers: "flagManyViewers",
  manyHolds: "flagManyHolds",
  instant: "flagInstant",
  newViewer: "flagNewViewer",
  insistent: "flagInsistent",
} as const;

export function OrderFlags(props: { flags: readonly string[] }): JSX.Element {
  const why = props.flags
    .map((flag) => (flag in WORDS ? say(WORDS[flag as keyof typeof WORDS]) : flag))
    .join("; ");
  return (
    <details class="order-flags">
      <summary class="chip warn" data-testid="flags">
        {say("flagged")}
      </summary>
      <small>{why}</small>
    </details>
  );
}

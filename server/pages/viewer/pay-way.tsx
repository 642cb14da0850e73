/** How it will be paid: the sandbox's test card, the one way there is. */
import type { JSX } from "preact";
import { Icon } from "../shared/icons.tsx";
import { say } from "./words.ts";

export function PayWay(): JSX.Element {
  return (
    <p class="pay-way">
      <Icon name="card" size={22} />
      <span>
        {say("sandboxCard")}
        <small>{say("sandboxWhy")}</small>
      </span>
      <Icon name="check" size={18} weight={2.25} />
    </p>
  );
}

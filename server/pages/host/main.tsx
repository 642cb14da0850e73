/** The host console: /host/:show. Draws what `entry` says: the key form, the console, or why there is none. */
import { type JSX, render } from "preact";
import { KeyForm } from "../shared/key-form.tsx";
import { Console } from "./console.tsx";
import { entry, start, useKey } from "./entry.ts";
import { say } from "./words.ts";

function Host(): JSX.Element {
  const now = entry.value;
  switch (now.step) {
    case "in":
      return <Console room={now.room} actions={now.actions} />;
    case "key":
      return (
        <KeyForm
          title={say("keyTitle")}
          refusal={now.refusal}
          isChecking={now.isChecking}
          onKey={(key) => void useKey(key)}
        />
      );
    case "noShow":
      return <p class="page-line">{say("noShow", { show: now.show })}</p>;
    case "away":
      return <p class="page-line">{say("noServer")}</p>;
    case "opening":
      return (
        <p class="page-line" role="status">
          <span class="spinner" />
          {say("opening")}
        </p>
      );
  }
}

const page = document.querySelector("#page");
if (page === null) throw new Error("host.html has no #page");
render(<Host />, page);
void start();

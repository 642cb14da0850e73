/** The operator page: /ops. One sentence of state, then charts, then tables. */
import { signal } from "@preact/signals";
import { type JSX, render } from "preact";
import { KeyForm, takeKeyFromAddress } from "../shared/key-form.tsx";
import { Dashboard } from "./dashboard.tsx";
import { followOps, type OpsFeed } from "./ops.ts";
import { say } from "./words.ts";

const STORED_UNDER = "dropcast.ops";
const feed = signal<OpsFeed | undefined>(undefined);

function open(key: string): void {
  sessionStorage.setItem(STORED_UNDER, key);
  feed.value?.stop();
  feed.value = followOps(key);
}

function Operator(): JSX.Element {
  const now = feed.value;
  const link = now?.link.value;
  if (now === undefined || link === "refused") {
    return (
      <KeyForm
        title={say("keyTitle")}
        refusal={now?.refusal.value ?? ""}
        isChecking={false}
        onKey={open}
      />
    );
  }
  return <Dashboard feed={now} />;
}

const page = document.querySelector("#page");
if (page === null) throw new Error("ops.html has no #page");
const key = takeKeyFromAddress() ?? sessionStorage.getItem(STORED_UNDER);
if (key !== null) open(key);
render(<Operator />, page);

/** Before, or instead of, the room: joining, waiting at a full one, no such show, server away, let in no more. Each says what to do next. */
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Icon, type IconName } from "../shared/icons.tsx";
import { LangButton } from "../shared/lang-button.tsx";
import { type Entry, enter } from "./entry.ts";
import { WaitingRoom } from "./waiting-room.tsx";
import { say } from "./words.ts";

type Outside = Exclude<Entry, { readonly step: "in" }>;
type InTrouble = Exclude<Outside, { readonly step: "joining" | "waiting" }>;

export function Doorstep(props: { entry: Outside }): JSX.Element {
  const { entry } = props;
  return (
    <main class="doorstep">
      <LangButton class="lang-button glass" />
      {entry.step === "joining" ? (
        <div class="doorstep-card" role="status">
          <span class="doorstep-pulse" aria-hidden="true" />
          <p>{say("joining")}</p>
        </div>
      ) : entry.step === "waiting" ? (
        <WaitingRoom {...entry} />
      ) : (
        <Trouble entry={entry} />
      )}
    </main>
  );
}

function Trouble(props: { entry: InTrouble }): JSX.Element {
  const { entry } = props;
  const { icon, title, why, action } = faceOf(entry);
  return (
    <div class="doorstep-card" role="alert">
      <span class="doorstep-icon">
        <Icon name={icon} size={32} />
      </span>
      <h1>{title}</h1>
      <p>{why}</p>
      {entry.step === "away" && <Countdown againAtMs={entry.againAtMs} />}
      {action !== "" && (
        <button
          type="button"
          class="button main"
          onClick={() => void enter(entry.step === "refused")}
        >
          {action}
        </button>
      )}
    </div>
  );
}

interface TroubleFace {
  readonly icon: IconName;
  readonly title: string;
  readonly why: string;
  /** Words of the button; empty: none would help. */
  readonly action: string;
}

function faceOf(entry: InTrouble): TroubleFace {
  switch (entry.step) {
    case "noShow":
      return { icon: "search", title: say("noShowTitle"), why: say("noShowWhy"), action: "" };
    case "away":
      return {
        icon: "offline",
        title: say("awayTitle"),
        why: say("noServer"),
        action: say("tryAgain"),
      };
    case "refused":
      return {
        icon: "key",
        title: say("refusedTitle"),
        why: say("refusedWhy"),
        action: say("joinAgain"),
      };
    case "removed":
      return { icon: "close", title: say("removedTitle"), why: say("removedWhy"), action: "" };
    case "full":
      return {
        icon: "people",
        title: say("refusedTitle"),
        why: entry.words,
        action: say("tryAgain"),
      };
  }
}

function Countdown(props: { againAtMs: number }): JSX.Element {
  const { againAtMs } = props;
  const seconds = useSignal(0);
  useEffect(() => {
    const draw = (): void => {
      seconds.value = Math.max(0, Math.ceil((againAtMs - Date.now()) / 1000));
    };
    draw();
    const timer = setInterval(draw, 250);
    return () => clearInterval(timer);
  }, [againAtMs, seconds]);
  return <p class="soft">{say("awayNext", { n: seconds.value })}</p>;
}

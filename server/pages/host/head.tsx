/** The console's top line: show, on-air light, elapsed, viewers; and what concerns the show as a whole. */
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useDerived } from "../shared/derived.ts";
import { count, elapsed } from "../shared/figures.ts";
import { ServerAway } from "../shared/http.ts";
import { Icon } from "../shared/icons.tsx";
import { LangButton } from "../shared/lang-button.tsx";
import type { Room } from "../shared/room.ts";
import { TwoStep } from "../shared/two-step.tsx";
import type { Actions } from "./actions.ts";
import type { Camera } from "./camera.ts";
import { attempt, tell } from "./trouble.tsx";
import { say } from "./words.ts";

export function Head(props: { room: Room; actions: Actions; camera: Camera }): JSX.Element {
  const { room, actions, camera } = props;
  const state = room.state.value;
  const startedAtMs = useStart(room, actions);
  const time = useDerived(
    () => (startedAtMs === 0 ? "00:00" : elapsed(room.nowMs.value - startedAtMs)),
    [startedAtMs, room],
  );
  const word = ({ live: "onAir", scheduled: "scheduled", ended: "ended" } as const)[state];
  return (
    <header class="head">
      <span class="head-mark" aria-hidden="true">
        <Icon name="bolt" size={20} solid />
      </span>
      <div class="head-title">
        <h1>{room.title.value}</h1>
        <p class="soft">{say("tabSafe")}</p>
      </div>
      <span class={`on-air ${state === "live" ? "" : "off"}`}>{say(word)}</span>
      {state === "live" && (
        <span class="head-figure" title="elapsed">
          <Icon name="clock" size={18} />
          {time}
        </span>
      )}
      <span
        class="head-figure"
        data-testid="viewer-count"
        title={say("viewers", { n: room.viewers.value })}
      >
        <Icon name="eye" size={18} />
        {count(room.viewers.value)}
      </span>
      <span class="head-actions">
        <button type="button" class="button" onClick={() => void copyViewerLink(room.show)}>
          <Icon name="share" size={18} />
          <span class="wide-only">{say("viewerLink")}</span>
        </button>
        {state === "scheduled" && (
          <button type="button" class="button" onClick={() => void attempt(actions.startShow())}>
            {say("startShow")}
          </button>
        )}
        {state === "live" && (
          <TwoStep
            words={say("endShow")}
            question={say("endSure")}
            onSure={() => {
              void camera.stop();
              void attempt(actions.endShow());
            }}
          />
        )}
        <LangButton />
      </span>
    </header>
  );
}

/** When the show went live, by the server; 0: not yet, or not known. */
function useStart(room: Room, actions: Actions): number {
  const startedAtMs = useSignal(0);
  const state = room.state.value;
  useEffect(() => {
    if (state !== "live") return;
    actions.facts().then(
      (facts) => (startedAtMs.value = facts.startedAtMs ?? 0),
      (fault: unknown) => {
        // The figure stays away with the server; the line about the connection says the rest.
        if (!(fault instanceof ServerAway)) throw fault;
      },
    );
  }, [state, actions, startedAtMs]);
  return startedAtMs.value;
}

async function copyViewerLink(show: string): Promise<void> {
  const url = `${location.origin}/watch/${encodeURIComponent(show)}`;
  if (navigator.clipboard === undefined) return tell(url, true);
  await navigator.clipboard.writeText(url);
  tell(`${say("linkCopied")} ${url}`, true);
}

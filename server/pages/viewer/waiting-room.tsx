/**
 * At the door of a full show. Asks again by itself and goes in without a reload; the ring shows the time to the next try. A screen
 * reader hears where one stands, and not every second of it.
 */
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Icon } from "../shared/icons.tsx";
import { say } from "./words.ts";

interface Wait {
  readonly againAtMs: number;
  /** About how many wait, this one included. */
  readonly waiting: number;
}

const STEP_MS = 200;
const AROUND = 2 * Math.PI * 44;

export function WaitingRoom({ againAtMs, waiting }: Wait): JSX.Element {
  const left = useSignal(1);
  const seconds = useSignal(0);
  useEffect(() => {
    const allMs = Math.max(1, againAtMs - Date.now());
    const draw = (): void => {
      const leftMs = Math.max(0, againAtMs - Date.now());
      left.value = leftMs / allMs;
      seconds.value = Math.ceil(leftMs / 1000);
    };
    draw();
    const timer = setInterval(draw, STEP_MS);
    return () => clearInterval(timer);
  }, [againAtMs, left, seconds]);
  return (
    <div class="doorstep-card waiting-room" data-testid="waiting-room">
      <span class="waiting-ring">
        <svg viewBox="0 0 96 96" width="112" height="112" aria-hidden="true">
          <circle class="waiting-track" cx="48" cy="48" r="44" />
          <circle
            class="waiting-left"
            cx="48"
            cy="48"
            r="44"
            stroke-dasharray={AROUND}
            stroke-dashoffset={AROUND * (1 - left.value)}
          />
        </svg>
        <Icon name="people" size={36} weight={1.5} />
      </span>
      <div role="status" class="waiting-words">
        <h1>{say("waitingTitle")}</h1>
        <p>{say("waitingWhy")}</p>
        <p class="waiting-count">
          {waiting > 1 ? say("waitingMany", { n: waiting }) : say("waitingAlone")}
        </p>
      </div>
      <p class="soft waiting-next" aria-hidden="true">
        {seconds.value > 0 ? say("waitingAgain", { n: seconds.value }) : say("waitingNow")}
      </p>
    </div>
  );
}

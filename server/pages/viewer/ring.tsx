/** The hold's time as a closing ring, on the server's clock; and the mark that stands there once it is over. */
import type { JSX } from "preact";
import type { Order } from "#sdk";
import { useDerived } from "../shared/derived.ts";
import { clock, count } from "../shared/figures.ts";
import { Icon } from "../shared/icons.tsx";
import type { Room } from "../shared/room.ts";

const RADIUS = 56;
const LENGTH = 2 * Math.PI * RADIUS;
const LAST_SECONDS_MS = 10_000;
const HURRY_MS = 30_000;

export function HoldRing(props: { order: Order; holdMs: number; room: Room }): JSX.Element {
  const { order, holdMs, room } = props;
  const plain = [order.deadlineMs, holdMs, room];
  const leftMs = useDerived(() => Math.max(0, order.deadlineMs - room.nowMs.value), plain);
  const words = useDerived(() => clock(leftMs.value), plain);
  const offset = useDerived(
    () => (LENGTH * (1 - Math.min(1, leftMs.value / Math.max(1, holdMs)))).toFixed(1),
    plain,
  );
  const mood = useDerived(
    () =>
      leftMs.value <= LAST_SECONDS_MS
        ? "ring last"
        : leftMs.value <= HURRY_MS
          ? "ring hurry"
          : "ring",
    plain,
  );
  return (
    <span class={mood.value}>
      <svg viewBox="0 0 124 124" aria-hidden="true">
        <circle cx="62" cy="62" r={RADIUS} class="ring-track" />
        <circle
          cx="62"
          cy="62"
          r={RADIUS}
          class="ring-left"
          stroke-dasharray={LENGTH}
          stroke-dashoffset={offset}
        />
      </svg>
      <span class="ring-words" data-testid="hold-timer" role="timer">
        {words}
      </span>
    </span>
  );
}

export function OutcomeMark(props: { isGood: boolean }): JSX.Element {
  return (
    <span class={`outcome ${props.isGood ? "good" : ""}`}>
      <Icon
        name={props.isGood ? "check" : "clock"}
        size={props.isGood ? 52 : 40}
        weight={props.isGood ? 2 : 1.5}
      />
    </span>
  );
}

/** A place in line, large. */
export function PlaceMark(props: { place: number }): JSX.Element {
  return <span class="outcome place">{count(props.place)}</span>;
}

/** A thin line, never a modal: shown while out of step with the room, and for a moment after with what was missed. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { Icon } from "../shared/icons.tsx";
import type { Room } from "../shared/room.ts";
import { say } from "./words.ts";

const SAY_BACK_FOR_MS = 6000;
/** A break shorter than this is not worth a word. */
const UNNOTICED_MS = 700;

type Line =
  | { readonly kind: "quiet" }
  | { readonly kind: "away" }
  | { readonly kind: "back"; readonly missed: number; readonly soldOut: number };

export function ConnectionStrip(props: { room: Room }): JSX.Element | null {
  const { room } = props;
  const line = useSignal<Line>({ kind: "quiet" });
  useEffect(() => follow(room, (next) => (line.value = next)), [room, line]);
  const now = line.value;
  if (now.kind === "quiet") return <span role="status" />;
  return (
    <p class={`connection glass ${now.kind}`} role="status">
      <Icon name={now.kind === "away" ? "offline" : "check"} size={16} weight={2} />
      <span>{now.kind === "back" ? wordsBack(now.missed, now.soldOut) : say("stillOffline")}</span>
    </p>
  );
}

function wordsBack(missed: number, soldOut: number): string {
  if (missed === 0) return say("backAgain");
  return soldOut === 0
    ? say("backMissed", { n: missed })
    : say("backMissedSoldOut", { n: missed, sold: soldOut });
}

function follow({ live }: Room, show: (line: Line) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stockBefore: ReadonlySet<string> | undefined;
  let isShown = false;
  const soldOutNow = (): ReadonlySet<string> =>
    new Set(
      [...live.state.drops.values()]
        .filter((drop) => drop.state === "soldOut")
        .map((drop) => drop.dropId),
    );
  const leave = (): void => {
    if (stockBefore !== undefined) return;
    stockBefore = soldOutNow();
    clearTimeout(timer);
    timer = setTimeout(() => {
      isShown = true;
      show({ kind: "away" });
    }, UNNOTICED_MS);
  };
  const comeBack = (missed: number): void => {
    const before = stockBefore;
    if (before === undefined) return;
    stockBefore = undefined;
    clearTimeout(timer);
    if (!isShown && missed === 0) return;
    isShown = false;
    const soldOut = [...soldOutNow()].filter((dropId) => !before.has(dropId)).length;
    show({ kind: "back", missed: Math.max(missed, soldOut), soldOut });
    timer = setTimeout(() => show({ kind: "quiet" }), SAY_BACK_FOR_MS);
  };
  const stop = live.on("connectionChanged", ({ connection, missed = 0 }) => {
    if (connection === "live") comeBack(missed);
    else leave();
  });
  return () => {
    clearTimeout(timer);
    stop();
  };
}

/** The drops that matter now: clock, stock bar, held, paid, left, and what may be done to them. */
import type { JSX } from "preact";
import type { Drop } from "#sdk";
import { useDerived } from "../shared/derived.ts";
import { clockOrDate, count } from "../shared/figures.ts";
import { Picture } from "../shared/picture.tsx";
import { Price, WasPrice } from "../shared/price.tsx";
import type { Room } from "../shared/room.ts";
import { StockBar } from "../shared/stock-bar.tsx";
import type { Actions } from "./actions.ts";
import { DropChanges } from "./drop-changes.tsx";
import { say } from "./words.ts";

/** A drop that has ended stays until its last holds are decided, and for this long. */
const AFTERGLOW_MS = 60_000;
const MOST_SHOWN = 3;

export function DropPanel(props: { room: Room; actions: Actions }): JSX.Element {
  const { room, actions } = props;
  const nowMs = room.live.now();
  const drops = [...room.drops.value.values()]
    .filter((drop) => !isOver(drop) || drop.held > 0 || nowMs - drop.endsAtMs < AFTERGLOW_MS)
    .toSorted((a, b) => Number(isOver(a)) - Number(isOver(b)) || a.startsAtMs - b.startsAtMs)
    .slice(0, MOST_SHOWN);
  if (drops.length === 0) {
    return (
      <section class="panel drop-none">
        <h2>{say("dropNow")}</h2>
        <p class="soft">{say("noDrop")}</p>
      </section>
    );
  }
  return (
    <>
      {drops.map((drop) => (
        <DropCard key={drop.dropId} drop={drop} room={room} actions={actions} />
      ))}
    </>
  );
}

const isOver = ({ state }: Drop): boolean => state === "closed" || state === "voided";
const CHIPS = { announced: "warn", open: "ok", soldOut: "stop", closed: "", voided: "" } as const;

function DropCard(props: { drop: Drop; room: Room; actions: Actions }): JSX.Element {
  const { drop, room, actions } = props;
  const currency = room.currency.value;
  return (
    <section class={`panel drop-card ${drop.state}`} data-drop={drop.dropId}>
      <Picture url={room.products.value.get(drop.sku)?.imageUrl ?? ""} sizePx={72} />
      <div class="drop-card-words">
        <h2>{drop.title}</h2>
        <p class="drop-card-price">
          <Price cents={drop.priceCents} currency={currency} />
          <WasPrice wasCents={drop.wasCents} cents={drop.priceCents} currency={currency} />
          <span class={`chip ${CHIPS[drop.state]}`}>{say(drop.state)}</span>
        </p>
      </div>
      <Clock drop={drop} room={room} />
      <div class="drop-card-stock">
        <StockBar drop={drop} />
        <dl class="books">
          <Figure word={say("left")} n={drop.available} name="available" testId="stock" />
          <Figure word={say("held")} n={drop.held} name="held" />
          <Figure word={say("paid")} n={drop.sold} name="sold" />
        </dl>
        <DropChanges drop={drop} actions={actions} />
      </div>
    </section>
  );
}

function Figure(props: { word: string; n: number; name: string; testId?: string }): JSX.Element {
  return (
    <div class={props.name}>
      <dt>{props.word}</dt>
      <dd data-testid={props.testId}>{count(props.n)}</dd>
    </div>
  );
}

function Clock(props: { drop: Drop; room: Room }): JSX.Element {
  const { drop, room } = props;
  const atMs = drop.state === "announced" ? drop.startsAtMs : drop.endsAtMs;
  const left = useDerived(() => clockOrDate(atMs, room.nowMs.value), [atMs, room]);
  if (isOver(drop)) return <p class="drop-clock soft">{say(drop.state)}</p>;
  return (
    <p class="drop-clock" data-testid="drop-countdown">
      <small>{say(drop.state === "announced" ? "startsIn" : "endsIn")}</small>
      {left}
    </p>
  );
}

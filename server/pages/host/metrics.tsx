/** The show in figures. Money and buyers are summed from the orders themselves, units from the drops, all by the server's log. */
import type { JSX } from "preact";
import { count, money, percent } from "../shared/figures.ts";
import type { Room } from "../shared/room.ts";
import { unitsOf } from "../shared/units.ts";
import type { Sales } from "./sales.ts";
import { say } from "./words.ts";

export function Metrics(props: { room: Room; sales: Sales }): JSX.Element {
  const { room, sales } = props;
  const { gmvCents, orders, buyers, peakViewers } = sales.now.value;
  const drops = [...room.drops.value.values()];
  const sold = drops.reduce((sum, drop) => sum + drop.sold, 0);
  const allotted = drops.reduce((sum, drop) => sum + unitsOf(drop), 0);
  return (
    <footer class="metrics" data-testid="metrics">
      <Metric word={say("gmv")} value={money(gmvCents, room.currency.value)} isMain />
      <Metric word={say("orders")} value={count(orders)} />
      <Metric
        word={say("conversion")}
        value={peakViewers === 0 ? "–" : percent(Math.min(1, buyers / peakViewers))}
        why={say("conversionWhy")}
      />
      <Metric
        word={say("sellThrough")}
        value={allotted === 0 ? "–" : percent(sold / allotted)}
        why={say("sellThroughWhy")}
      />
      <Metric word={say("likes")} value={count(room.likes.value)} />
      <Metric word={say("shares")} value={count(room.shares.value)} />
    </footer>
  );
}

function Metric(props: {
  word: string;
  value: string;
  why?: string;
  isMain?: boolean;
}): JSX.Element {
  return (
    <dl class={`metric ${props.isMain === true ? "main" : ""}`} title={props.why}>
      <dt>{props.word}</dt>
      <dd>{props.value}</dd>
    </dl>
  );
}

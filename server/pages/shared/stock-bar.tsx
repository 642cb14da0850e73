/** A drop's units as three lengths: sold, held, free. The words beside it carry the numbers. */
import type { JSX } from "preact";
import type { Drop } from "#sdk";
import { unitsOf } from "./units.ts";

type Units = Pick<Drop, "allotment" | "available" | "held" | "sold">;

export function StockBar(props: { drop: Units }): JSX.Element {
  const { sold, held, available } = props.drop;
  const all = Math.max(1, unitsOf(props.drop));
  const part = (units: number): Record<string, string> => ({
    "--part": `${(100 * units) / all}%`,
  });
  return (
    <div class="stock-bar" aria-hidden="true">
      <i class="free" style={part(available)} />
      <i class="held" style={part(held)} />
      <i class="sold" style={part(sold)} />
    </div>
  );
}

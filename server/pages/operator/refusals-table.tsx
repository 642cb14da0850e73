/** Tries to buy that were answered with a no, by the reason given, over all gateways that report now. */
import type { JSX } from "preact";
import { count } from "../shared/figures.ts";
import type { Ops } from "./ops.ts";
import { Table } from "./table.tsx";
import { say } from "./words.ts";

/** Names of the figures, as gateways report them. */
const REASONS = [
  ["refusedSoldOut", "dropcast_node_refused_sold_out"],
  ["refusedLimit", "dropcast_node_refused_limit"],
  ["refusedTooFast", "dropcast_node_refused_too_fast"],
  ["refusedPass", "dropcast_node_refused_pass"],
  ["refusedNotOpen", "dropcast_node_refused_not_open"],
  ["refusedClosed", "dropcast_node_refused_closed"],
  ["refusedCoupon", "dropcast_node_refused_coupon"],
] as const;

export function RefusalsTable(props: { ops: Ops }): JSX.Element {
  const rows = REASONS.map(([figure, metric]) => ({
    figure,
    metric,
    tries: props.ops.nodes.reduce((sum, { figures }) => sum + (figures[figure] ?? 0), 0),
  })).filter(({ tries }) => tries > 0);
  return (
    <Table
      title={say("refusals")}
      rows={rows}
      keyOf={({ figure }) => figure}
      empty={say("noRefusals")}
      columns={[
        {
          head: say("reason"),
          metric: "",
          cell: ({ figure, metric }) => (
            <>
              {say(figure)}
              <small class="soft">{metric}</small>
            </>
          ),
        },
        { head: say("tries"), metric: "", cell: ({ tries }) => count(tries) },
      ]}
    />
  );
}

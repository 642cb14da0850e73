/** The shows that are awake. */
import type { JSX } from "preact";
import { count } from "../shared/figures.ts";
import type { Ops } from "./ops.ts";
import { Table } from "./table.tsx";
import { say } from "./words.ts";

const CHIPS = { live: "ok", scheduled: "warn", ended: "" } as const;

export function ShowsTable(props: { ops: Ops }): JSX.Element {
  return (
    <Table
      title={say("shows")}
      rows={props.ops.shows}
      keyOf={({ id }) => id}
      empty={say("noShows")}
      columns={[
        {
          head: say("show"),
          metric: "",
          cell: ({ id, title }) => (
            <a href={`/watch/${encodeURIComponent(id)}`}>
              {title}
              <small class="soft">{id}</small>
            </a>
          ),
        },
        {
          head: say("state"),
          metric: "",
          cell: ({ state }) => <span class={`chip ${CHIPS[state]}`}>{say(state)}</span>,
        },
        {
          head: say("viewers"),
          metric: "dropcast_show_viewers",
          cell: ({ viewers }) => count(viewers),
        },
        { head: say("peak"), metric: "peakViewers", cell: ({ peakViewers }) => count(peakViewers) },
        { head: say("likes"), metric: "dropcast_show_likes", cell: ({ likes }) => count(likes) },
        {
          head: say("comments"),
          metric: "dropcast_show_comments",
          cell: ({ comments }) => count(comments),
        },
        {
          head: say("orders"),
          metric: "dropcast_show_orders",
          cell: ({ orders }) => count(orders),
        },
        {
          head: say("flagged"),
          metric: "dropcast_show_flagged_holds",
          cell: ({ flagged = 0 }) => count(flagged),
        },
      ]}
    />
  );
}

/** Every drop with its books as the ledger has them, and its clock by Redis TIME. */
import type { JSX } from "preact";
import { clockOrDate, count } from "../shared/figures.ts";
import { StockBar } from "../shared/stock-bar.tsx";
import type { DropBooks, Ops } from "./ops.ts";
import { type Column, Table } from "./table.tsx";
import { say } from "./words.ts";

const CHIPS = { announced: "warn", open: "ok", soldOut: "stop", closed: "", voided: "" } as const;

type Row = DropBooks & { readonly show: string };

const book = (
  head: string,
  name: "available" | "held" | "sold" | "allotment",
  metric: string,
): Column<Row> => ({
  head,
  metric: `dropcast_drop_units{book="${metric}"}`,
  cell: (row) => count(row[name]),
});

export function DropsTable(props: { ops: Ops }): JSX.Element {
  const { atMs, shows } = props.ops;
  const rows: readonly Row[] = shows.flatMap(({ id, drops }) =>
    drops.map((drop) => ({ show: id, ...drop })),
  );
  return (
    <Table
      title={say("drops")}
      rows={rows}
      keyOf={({ show, dropId }) => `${show}/${dropId}`}
      empty={say("noDrops")}
      columns={[
        {
          head: say("drop"),
          metric: "",
          cell: ({ show, title, dropId }) => (
            <>
              {title}
              <small class="soft">{`${show} / ${dropId}`}</small>
            </>
          ),
        },
        {
          head: say("state"),
          metric: "",
          cell: ({ state }) => <span class={`chip ${CHIPS[state]}`}>{say(state)}</span>,
        },
        { head: say("clock"), metric: "", cell: (row) => clockOf(row, atMs) },
        { head: say("stock"), metric: "", cell: (row) => <StockBar drop={row} /> },
        book(say("left"), "available", "available"),
        book(say("held"), "held", "held"),
        book(say("sold"), "sold", "sold"),
        book(say("allotted"), "allotment", "allotted"),
      ]}
    />
  );
}

function clockOf({ state, startsAtMs, endsAtMs }: Row, atMs: number): string {
  if (state === "closed" || state === "voided") return "–";
  return state === "announced"
    ? say("startsIn", { clock: clockOrDate(startsAtMs, atMs) })
    : say("endsIn", { clock: clockOrDate(endsAtMs, atMs) });
}

/** A panel with a table; each column names its metric, and every number in it carries that name as its title. */
import type { ComponentChildren, JSX } from "preact";

export interface Column<R> {
  readonly head: string;
  /** Name of the metric at /metrics; empty: not a number. */
  readonly metric: string;
  readonly cell: (row: R) => ComponentChildren;
}

export function Table<R>(props: {
  title: string;
  rows: readonly R[];
  keyOf: (row: R) => string;
  columns: readonly Column<R>[];
  /** Said where there is no row. */
  empty: string;
}): JSX.Element {
  const { title, rows, keyOf, columns, empty } = props;
  return (
    <section class="panel table-panel">
      <div class="panel-head">
        <h2>{title}</h2>
        <span class="chip">{rows.length}</span>
      </div>
      {rows.length === 0 ? (
        <p class="soft">{empty}</p>
      ) : (
        <div class="table-scroll">
          <table>
            <thead>
              <tr>
                {columns.map(({ head, metric }) => (
                  <th key={head} class={metric === "" ? "" : "number"} scope="col">
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={keyOf(row)}>
                  {columns.map(({ head, metric, cell }) => (
                    <td
                      key={head}
                      class={metric === "" ? "" : "number"}
                      title={metric === "" ? undefined : metric}
                    >
                      {cell(row)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/**
 * A bench's result as rows: what was measured, and beside which control rows it stands. A ratio is only ever taken between
 * two rows of the same run. Pure.
 */

/** What a bench measures. */
export interface Row {
  readonly row: string;
  /** Higher is better for rates, lower for bytes and times: the unit says which. */
  readonly value: number;
  readonly unit: string;
  /** Rows of the same bench to be compared with; none: it is a control row itself, or a figure that has none. */
  readonly controls: readonly string[];
}

/** One line of `--json`. A row with two controls is two lines. */
export interface Line {
  readonly bench: string;
  readonly row: string;
  readonly value: number;
  readonly unit: string;
  readonly control: string | null;
  /** value ÷ the control's value of the same run. */
  readonly ratio: number | null;
}

/** @throws when a row names a control that was not measured: a number without its control says nothing */
export function linesOf(bench: string, rows: readonly Row[]): readonly Line[] {
  const values = new Map(rows.map(({ row, value }) => [row, value]));
  if (values.size < rows.length) throw new Error(`${bench}: two rows of one name`);
  return rows.flatMap(({ row, value, unit, controls }): Line[] => {
    if (controls.length === 0)
      return [{ bench, row, value: rounded(value), unit, control: null, ratio: null }];
    return controls.map((control) => {
      const controlValue = values.get(control);
      if (controlValue === undefined)
        throw new Error(`${bench}: ${row} names the control ${control}, which was not measured`);
      return {
        bench,
        row,
        value: rounded(value),
        unit,
        control,
        ratio: rounded(value / controlValue),
      };
    });
  });
}

/** Four significant digits: more would be noise. */
const rounded = (value: number): number => Number(value.toPrecision(4));

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** The lines as a table for people. */
export function tableOf(lines: readonly Line[]): string {
  const controls = new Set(lines.map(({ control }) => control));
  const cells = lines.map(({ row, value, unit, control, ratio }) => [
    row,
    shown(value),
    unit,
    control === null ? (controls.has(row) ? "(control)" : "") : `${ratio?.toFixed(2)} × ${control}`,
  ]);
  const widths = [0, 1, 2].map((column) =>
    Math.max(...cells.map((cell) => (cell[column] as string).length)),
  );
  return cells
    .map(([row = "", value = "", unit = "", control = ""]) =>
      `  ${row.padEnd(widths[0] as number)}  ${value.padStart(widths[1] as number)} ${unit.padEnd(widths[2] as number)}  ${control}`.trimEnd(),
    )
    .join("\n");
}

const shown = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString("en") : String(rounded(value));

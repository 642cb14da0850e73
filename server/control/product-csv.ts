/**
 * Products from a CSV file (RFC 4180; a byte order mark and either line ending are fine). The first line names the columns.
 * Every mistake is named by line, field and reason; the file's line numbers are those an editor shows. Pure.
 */
import { type Product, NewProduct } from "./schemas.ts";
import type { LineProblem } from "./faults.ts";
import type { z } from "zod";
import { reasonOf } from "./reasons.ts";

export interface ProductLines {
  readonly products: readonly z.output<typeof Product>[];
  readonly problems: readonly LineProblem[];
}

interface Row {
  /** Where it begins in the file. */
  readonly line: number;
  readonly cells: readonly string[];
}

const COLUMNS = [
  "sku",
  "title",
  "price",
  "priceCents",
  "stock",
  "imageUrl",
  "category",
  "restock",
] as const;
const MAX_PROBLEMS = 100;

export function readProductLines(text: string): ProductLines {
  const [header, ...rows] = readRows(text.replace(/^\uFEFF/, ""));
  if (header === undefined)
    return { products: [], problems: [{ line: 1, field: "file", reason: "is empty" }] };
  const names = header.cells.map((cell) => cell.trim());
  const wrong = headerProblems(names, header.line);
  if (wrong.length > 0) return { products: [], problems: wrong };

  const products: z.output<typeof Product>[] = [];
  const problems: LineProblem[] = [];
  const seenAt = new Map<string, number>();
  for (const row of rows) {
    const { product, problems: found } = readProduct(row, names);
    const earlier = product === undefined ? undefined : seenAt.get(product.sku);
    if (product !== undefined) {
      if (earlier === undefined) products.push(product);
      else found.push({ line: row.line, field: "sku", reason: `is on line ${earlier} already` });
      seenAt.set(product.sku, row.line);
    }
    problems.push(...found);
  }
  return { products, problems: problems.slice(0, MAX_PROBLEMS) };
}

function headerProblems(names: readonly string[], line: number): LineProblem[] {
  const known: readonly string[] = COLUMNS;
  const unknown = names.filter((name) => !known.includes(name));
  const missing = ["sku", "title", "stock"].filter((name) => !names.includes(name));
  const prices = names.filter((name) => name === "price" || name === "priceCents");
  return [
    ...unknown.map((name) => ({
      line,
      field: name,
      reason: `is not a column; columns are ${COLUMNS.join(", ")}`,
    })),
    ...missing.map((field) => ({ line, field, reason: "is a column that is missing" })),
    ...(prices.length === 1
      ? []
      : [{ line, field: "price", reason: "give one column: price (99.00) or priceCents (9900)" }]),
  ];
}

function readProduct(
  { line, cells }: Row,
  names: readonly string[],
): {
  product?: z.output<typeof Product>;
  problems: LineProblem[];
} {
  if (cells.length !== names.length)
    return {
      problems: [
        {
          line,
          field: "line",
          reason: `has ${cells.length} columns, the first line has ${names.length}`,
        },
      ],
    };
  const cell: Record<string, string> = Object.fromEntries(
    names.map((name, i) => [name, (cells[i] ?? "").trim()]),
  );
  const read = NewProduct.safeParse({
    sku: cell["sku"],
    title: cell["title"],
    priceCents:
      cell["priceCents"] === undefined
        ? centsOf(cell["price"] ?? "")
        : numberOf(cell["priceCents"]),
    stock: numberOf(cell["stock"] ?? ""),
    imageUrl: cell["imageUrl"] ?? "",
    category: cell["category"] ?? "",
    ...((cell["restock"] ?? "") === "" ? {} : { restock: cell["restock"] }),
  });
  if (read.success) return { product: read.data, problems: [] };
  return {
    problems: read.error.issues.map((issue) => {
      const field = String(issue.path[0]);
      const isPrice = field === "priceCents" && cell["price"] !== undefined;
      const { reason } = reasonOf({ ...issue });
      return {
        line,
        field: isPrice ? "price" : field,
        reason: `${reason} (is “${cell[isPrice ? "price" : field] ?? ""}”)`,
      };
    }),
  };
}

/** NaN where it is no number; the schema says what else is wrong with it. */
const numberOf = (text: string): number =>
  /^-?\d{1,15}(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;

/** "99", "99.5" or "99.50" in the main unit, without floating point. */
function centsOf(text: string): number {
  const [, whole, part = ""] = /^(\d{1,12})(?:\.(\d{1,2}))?$/.exec(text) ?? [];
  return whole === undefined ? Number.NaN : Number(whole) * 100 + Number(part.padEnd(2, "0"));
}

/** Rows with where they begin; blank lines are skipped. A quote that never closes takes the rest of the file. */
function readRows(text: string): Row[] {
  const rows: Row[] = [];
  const cell = /("(?:[^"]|"")*"?|[^,\r\n]*)(,|\r\n|\n|\r|$)/gy;
  let line = 1;
  let begunAt = 1;
  let cells: string[] = [];
  while (cell.lastIndex < text.length || cells.length > 0) {
    const [matched, raw = "", end = ""] = cell.exec(text) ?? [];
    if (matched === undefined) break;
    cells.push(raw.startsWith('"') ? raw.replace(/^"|"$/g, "").replaceAll('""', '"') : raw);
    line += raw.split(/\r\n|\n|\r/).length - 1;
    if (end === ",") continue;
    if (cells.some((c) => c.trim() !== "")) rows.push({ line: begunAt, cells });
    line += 1;
    begunAt = line;
    cells = [];
  }
  return rows;
}

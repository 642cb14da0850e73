/**
 * The few value kinds a wire field may hold: a guard, and for nested kinds how to read and write them.
 * Limits live in the guard, so a frame that passed `decode` needs no further check of type, range or length.
 */
export interface Field<T> {
  /** Kind with its limit, for documents and refusals: "text 1…200". */
  readonly label: string;
  /** True if the raw wire value is a lawful `T`. Costs no allocation. */
  readonly accepts: (raw: unknown) => boolean;
  /** Raw wire value (already accepted) to `T`; absent where both are the same. */
  read?(raw: unknown): T;
  /** `T` to raw wire value; absent where both are the same. */
  write?(value: T): unknown;
}

export type ValueOf<F> = F extends Field<infer T> ? T : never;
export type Fields = Readonly<Record<string, Field<unknown>>>;
export type BodyOf<F> = { readonly [K in keyof F]: ValueOf<F[K]> };

const readWith = (field: Field<unknown>, raw: unknown): unknown =>
  field.read === undefined ? raw : field.read(raw);
const writeWith = (field: Field<unknown>, value: unknown): unknown =>
  field.write === undefined ? value : field.write(value);

/** Whole number in [min, max]. */
export const uint = (max: number, min = 0): Field<number> => ({
  label: `uint ${min}…${max}`,
  accepts: (v) => typeof v === "number" && Number.isInteger(v) && v >= min && v <= max,
});

/** UTF-16 string of minChars…maxChars characters. */
export const text = (maxChars: number, minChars = 1): Field<string> => ({
  label: `text ${minChars}…${maxChars}`,
  accepts: (v) => typeof v === "string" && v.length >= minChars && v.length <= maxChars,
});

export const flag: Field<boolean> = { label: "bool", accepts: (v) => typeof v === "boolean" };

/** One of the given words. */
export const oneOf = <const W extends readonly string[]>(...words: W): Field<W[number]> => ({
  label: words.join(" | "),
  accepts: (v) => words.includes(v as string),
});

/** The same where every byte counts: travels as the word's place, from 0. Where Lua packed it, it may come as the word. */
export const placeIn = <const W extends readonly string[]>(...words: W): Field<W[number]> => ({
  label: `place in ${words.join(" | ")}`,
  accepts: (v) => (typeof v === "number" ? words[v] !== undefined : words.includes(v as string)),
  read: (raw) => words[raw as number] ?? (raw as string),
  write: (word) => words.indexOf(word),
});

/** At most maxItems values of one kind. */
export const list = <T>(item: Field<T>, maxItems: number): Field<readonly T[]> => ({
  label: `list 0…${maxItems} of ${item.label}`,
  accepts: (v) => Array.isArray(v) && v.length <= maxItems && v.every(item.accepts),
  read: (raw) => (raw as unknown[]).map((v) => readWith(item, v) as T),
  write: (values) => values.map((v) => writeWith(item, v)),
});

/** Named fields, travelling as a positional array. `fields` is what documents and the Lua side derive from. */
export type RecordField<F extends Fields> = Field<BodyOf<F>> & { readonly fields: F };

export const record = <const F extends Fields>(fields: F): RecordField<F> => {
  const names = Object.keys(fields);
  const kinds = Object.values(fields);
  return {
    fields,
    label: `[${names.join(", ")}]`,
    accepts: (v) =>
      Array.isArray(v) && v.length === kinds.length && kinds.every((kind, i) => kind.accepts(v[i])),
    read: (raw) =>
      Object.fromEntries(
        kinds.map((kind, i) => [names[i], readWith(kind, (raw as unknown[])[i])]),
      ) as BodyOf<F>,
    write: (value) => kinds.map((kind, i) => writeWith(kind, value[names[i] as keyof F])),
  };
};

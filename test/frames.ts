/** fast-check arbitraries for lawful frames, derived from the wire's table by the fields' own labels and guards. */
import fc from "fast-check";
import { COMMENT, COUPON, DROP, FRAMES, type FrameName, ORDER, PRODUCT } from "#wire";
import type { Field, Fields } from "../client-sdk/protocol/fields.ts";

const fieldOf = (field: Field<unknown> & { readonly fields?: Fields }): fc.Arbitrary<unknown> => {
  const { label } = field;
  if (field.fields !== undefined) return bodyOf(field.fields);
  const uint = /^uint (\d+)…(\d+)$/.exec(label);
  if (uint !== null) {
    const [min, max] = [Number(uint[1]), Number(uint[2])];
    return fc
      .oneof(
        fc.constantFrom(min, max),
        fc.integer({ min, max: Math.min(max, min + 1000) }),
        fc.maxSafeNat(),
      )
      .filter(field.accepts);
  }
  const text = /^text (\d+)…(\d+)$/.exec(label);
  if (text !== null) {
    const [minLength, maxLength] = [Number(text[1]), Math.min(40, Number(text[2]))];
    return fc.string({ unit: "grapheme", minLength, maxLength }).filter(field.accepts);
  }
  if (label === "bool") return fc.boolean();
  if (label.startsWith("list")) return listOf(field);
  return fc.constantFrom(...label.replace("place in ", "").split(" | "));
};

/** A list's item is found by the label of its record, or is text. */
function listOf(field: Field<unknown>): fc.Arbitrary<unknown> {
  const record = RECORDS.find((r) => field.label.endsWith(r.label));
  const item = record === undefined ? fc.string({ minLength: 1, maxLength: 10 }) : fieldOf(record);
  const most = Number(/^list 0…(\d+)/.exec(field.label)?.[1]);
  return fc.array(item, { maxLength: Math.min(3, most) });
}

const bodyOf = (fields: Fields): fc.Arbitrary<Record<string, unknown>> =>
  fc.record(
    Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, fieldOf(field)])),
    {
      noNullPrototype: true,
    },
  );

const RECORDS = [COMMENT, COUPON, DROP, ORDER, PRODUCT] as (Field<unknown> & {
  readonly fields?: Fields;
})[];

export const frameOf = (name: FrameName): fc.Arbitrary<Record<string, unknown>> =>
  bodyOf(FRAMES[name].fields);

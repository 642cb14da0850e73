/**
 * Frames ⇄ arrays ⇄ bytes or JSON text. Pure, isomorphic, no I/O.
 * Hostile input gives a `Malformed` value with the close it earns, never a throw.
 */
import type { CloseWord } from "./closes.ts";
import type { Field } from "./fields.ts";
import {
  type Body,
  type DownFrame,
  FRAMES,
  type FrameName,
  type NamesGoing,
  type UpFrame,
} from "./frames.ts";
import { CLIENT_LIMITS as LIMITS } from "./limits.ts";
import { pack } from "./pack.ts";
import { unpack } from "./unpack.ts";

/** Why input was refused; `why` goes to the log, never back to the peer. */
export interface Malformed {
  readonly kind: "malformed";
  readonly close: CloseWord;
  readonly why: string;
}

interface Plan {
  readonly kind: FrameName;
  readonly way: "up" | "down";
  readonly names: readonly string[];
  readonly fields: readonly Field<unknown>[];
}

const PLANS: readonly (Plan | undefined)[] = (() => {
  const plans: (Plan | undefined)[] = [];
  for (const [kind, spec] of Object.entries(FRAMES))
    plans[spec.opcode] = {
      kind: kind as FrameName,
      way: spec.way,
      names: Object.keys(spec.fields),
      fields: Object.values(spec.fields) as Field<unknown>[],
    };
  return plans;
})();

let reader = unpack;

/** Reads msgpack by another reader from here on: the server brings one that is twice as fast with long lists. */
export const readBy = (another: (bytes: Uint8Array) => unknown): void => {
  reader = another;
};

/** Reads bytes sent by a client. */
export const decodeUp = (bytes: Uint8Array): UpFrame | Malformed =>
  fromBytes(bytes, "up") as UpFrame | Malformed;
/** Reads bytes sent by the server. */
export const decodeDown = (bytes: Uint8Array): DownFrame | Malformed =>
  fromBytes(bytes, "down") as DownFrame | Malformed;
/** Reads JSON text sent by a client. */
export const decodeUpText = (text: string): UpFrame | Malformed =>
  fromText(text, "up") as UpFrame | Malformed;
/** Reads JSON text sent by the server. */
export const decodeDownText = (text: string): DownFrame | Malformed =>
  fromText(text, "down") as DownFrame | Malformed;

/** The raw array of bytes already known to be lawful: for handing on in the other subprotocol. */
export const rawOf = (bytes: Uint8Array): unknown => reader(bytes);

/** `[opcode, ...fields]`, ready for msgpack or JSON. */
export function toArray<N extends FrameName>(name: N, body: Body<N>): unknown[] {
  const plan = PLANS[FRAMES[name].opcode] as Plan;
  const values: unknown[] = [FRAMES[name].opcode];
  for (let i = 0; i < plan.names.length; i++) {
    const value = (body as Record<string, unknown>)[plan.names[i] as string];
    const field = plan.fields[i] as Field<unknown>;
    values.push(field.write === undefined ? value : field.write(value));
  }
  return values;
}

/** Packs a client's frame. (The server packs with msgpackr: `#wire/server`.) */
export const encodeUp = <N extends NamesGoing<"up">>(
  name: N,
  body: Body<N>,
): Uint8Array<ArrayBuffer> => pack(toArray(name, body));

function fromBytes(bytes: Uint8Array, way: "up" | "down"): object {
  let raw: unknown;
  try {
    raw = reader(bytes);
  } catch (cause) {
    return malformed("undecodable", String(cause));
  }
  return fromRaw(raw, way, bytes.length);
}

function fromText(text: string, way: "up" | "down"): object {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (cause) {
    return malformed("undecodable", String(cause));
  }
  return fromRaw(raw, way, text.length);
}

function fromRaw(raw: unknown, way: "up" | "down", length: number): object {
  if (!Array.isArray(raw)) return malformed("notArray", typeof raw);
  const opcode: unknown = raw[0];
  // Only a number is put into words: an object may bring a `toString` of its own, an array may be endlessly deep.
  if (typeof opcode !== "number") return malformed("unknownOpcode", typeof opcode);
  const plan = PLANS[opcode];
  if (plan === undefined) return malformed("unknownOpcode", String(opcode));
  if (plan.way !== way) return malformed("wrongWay", plan.kind);
  if (way === "up" && length > LIMITS.maxCommandBytes && plan.kind !== "signal")
    return malformed("tooLong", plan.kind);
  if (raw.length !== plan.fields.length + 1)
    return malformed("wrongArity", `${plan.kind}: ${raw.length - 1} fields`);
  const frame: Record<string, unknown> = { kind: plan.kind };
  for (let i = 0; i < plan.fields.length; i++) {
    const value: unknown = raw[i + 1];
    const field = plan.fields[i] as Field<unknown>;
    if (!field.accepts(value))
      return malformed("badField", `${plan.kind}.${plan.names[i]}: expected ${field.label}`);
    frame[plan.names[i] as string] = field.read === undefined ? value : field.read(value);
  }
  return frame;
}

const malformed = (close: CloseWord, why: string): Malformed => ({ kind: "malformed", close, why });

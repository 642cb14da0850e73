/**
 * Every frame on the wire, once: opcode, direction, lane, fields in wire order (rows in up.ts and down.ts).
 * A frame travels as the array `[opcode, ...fields]`, as msgpack or as JSON text.
 * Opcodes are permanent: never reuse or renumber one. A new kind of event starts here.
 */
import { DOWN, type FAILURES } from "./down.ts";
import type { BodyOf } from "./fields.ts";
import { type SIGNALS, UP } from "./up.ts";

export const FRAMES = { ...UP, ...DOWN } as const;

export type FrameName = keyof typeof FRAMES;
/** The fields of frame `N` as a plain object. */
export type Body<N extends FrameName> = BodyOf<(typeof FRAMES)[N]["fields"]>;
/** A decoded frame: its name plus its fields. */
export type Frame<N extends FrameName = FrameName> = {
  [K in N]: { readonly kind: K } & Body<K>;
}[N];

export type NamesGoing<W extends "up" | "down"> = {
  [N in FrameName]: (typeof FRAMES)[N]["way"] extends W ? N : never;
}[FrameName];
export type UpFrame = Frame<NamesGoing<"up">>;
export type DownFrame = Frame<NamesGoing<"down">>;
export type SignalName = (typeof SIGNALS)[number];
export type FailureCode = (typeof FAILURES)[number];

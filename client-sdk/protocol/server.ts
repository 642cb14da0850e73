/**
 * The server's half of the codec: packing and reading with msgpackr, and the log's frames in the other subprotocol.
 * Kept out of `index.ts` so that clients do not carry the packer.
 */
import { Packr } from "msgpackr";
import { Unpackr } from "msgpackr/unpack";
import { rawOf, readBy, toArray } from "./codec.ts";
import type { Body, NamesGoing } from "./frames.ts";

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false, int64AsType: "number" });
readBy((bytes) => unpackr.unpack(bytes) as unknown);

/**
 * Packs one frame. The bytes are a view into msgpackr's 8 KiB pool, never written to again: share and publish them freely;
 * keeping many small ones pins their pools.
 */
export const encodeDown = <N extends NamesGoing<"down">>(name: N, body: Body<N>): Uint8Array =>
  packr.pack(toArray(name, body));

/** The same frame as JSON text. */
export const encodeDownText = <N extends NamesGoing<"down">>(name: N, body: Body<N>): string =>
  JSON.stringify(toArray(name, body));

/** A packed frame's JSON text: for the few clients of the JSON subprotocol. */
export const textOf = (bytes: Uint8Array): string => JSON.stringify(rawOf(bytes));

/** Packs any plain value for Redis (batches to Lua and back). */
export const packValue = (value: unknown): Buffer => packr.pack(value);

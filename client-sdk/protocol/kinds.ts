/** The fields that several frames share, and the shape of a row of the frame table. */
import { type Fields, text, uint } from "./fields.ts";
import { CLIENT_LIMITS as LIMITS } from "./limits.ts";

export interface FrameSpec {
  readonly opcode: number;
  /** "up": client → server. "down": server → client. */
  readonly way: "up" | "down";
  /** What delivery is promised: R reliable, S state, V volatile, A aggregate; absent: one client only. */
  readonly lane?: "R" | "S" | "V" | "A";
  readonly fields: Fields;
}

export const U32 = uint(0xffff_ffff);
export const U53 = uint(Number.MAX_SAFE_INTEGER);
/** Links an answer to its command; chosen by the client, unique per connection. */
export const ID = uint(0xffff_ffff);
export const KEY = text(LIMITS.maxKeyChars);
export const ATTEMPT = uint(255);
/** A pass, as the server signed it; empty: none. */
export const PASS = text(80, 0);
/** The puzzle before a pass, as the server signed it; empty: none. */
export const CHALLENGE = text(80, 0);
export const JSON_TEXT = text(LIMITS.maxFrameBytes, 0);

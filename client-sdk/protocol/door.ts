/** Before there is anything to hold: a place in line, and a pass for a drop that wants to see one. Asked and answered. */
import { oneOf, text, uint } from "./fields.ts";
import { ATTEMPT, CHALLENGE, type FrameSpec, ID, KEY, PASS, U32, U53 } from "./kinds.ts";

export const DOOR_UP = {
  wait: {
    opcode: 0x0a,
    way: "up",
    fields: {
      id: ID,
      key: KEY,
      dropId: text(40),
      quantity: uint(99, 1),
      pass: PASS,
      attempt: ATTEMPT,
    },
  },
  pass: {
    opcode: 0x12,
    way: "up",
    fields: {
      id: ID,
      key: KEY,
      dropId: text(40),
      challenge: CHALLENGE,
      nonce: U53,
      attempt: ATTEMPT,
    },
  },
} as const satisfies Record<string, FrameSpec>;

export const DOOR_DOWN = {
  waitAnswered: {
    opcode: 0x4e,
    way: "down",
    fields: {
      id: ID,
      result: oneOf("waiting", "notNeeded", "limit", "closed", "tooLate", "tooFast", "pass"),
      ticket: U32,
      /** How many are before this one. */
      ahead: U32,
      retryAfterMs: U32,
    },
  },
  passAnswered: {
    opcode: 0x8c,
    way: "down",
    fields: {
      id: ID,
      result: oneOf("pass", "proof", "notNeeded", "closed", "tooFast"),
      pass: PASS,
      /** Until when the pass, or the challenge, is good. */
      untilMs: U53,
      challenge: CHALLENGE,
      /** Zero bits that SHA-256(`challenge:nonce`) must begin with. */
      bits: uint(32),
      retryAfterMs: U32,
    },
  },
} as const satisfies Record<string, FrameSpec>;

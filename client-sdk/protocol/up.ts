/** What clients send. Opcodes below 0x40. */
import { DOOR_UP } from "./door.ts";
import { list, oneOf, text, uint } from "./fields.ts";
import { ATTEMPT, type FrameSpec, ID, JSON_TEXT, KEY, PASS, U32, U53 } from "./kinds.ts";
import { CLIENT_LIMITS as LIMITS } from "./limits.ts";

/** Signals of the media plane; their bodies are JSON text, checked by the media process. */
export const SIGNALS = [
  "watch",
  "connect",
  "consume",
  "resume",
  "layer",
  "publish",
  "produce",
  "unpublish",
  "leave",
] as const;

export const UP = {
  ...DOOR_UP,
  hello: {
    opcode: 0x01,
    way: "up",
    fields: { token: text(2048), show: text(40), client: KEY, epoch: text(40, 0), offset: U53 },
  },
  beat: { opcode: 0x02, way: "up", fields: { offset: U53, tick: U53, clientAtMs: U53 } },
  seen: { opcode: 0x16, way: "up", fields: { tick: U53 } },
  comment: {
    opcode: 0x03,
    way: "up",
    fields: { id: ID, seq: U32, text: text(LIMITS.maxCommentChars) },
  },
  react: {
    opcode: 0x04,
    way: "up",
    fields: {
      seq: U32,
      likes: uint(LIMITS.maxLikesPerFrame),
      shares: uint(LIMITS.maxLikesPerFrame),
    },
  },
  hold: {
    opcode: 0x05,
    way: "up",
    fields: { id: ID, key: KEY, dropId: text(40), quantity: uint(99, 1), attempt: ATTEMPT },
  },
  /**
   * A hold whose answer may ride: on the order that it becomes, or on "sold out" (`dropSoldOut` with `answersTaps`). It is of the
   * restock epoch that the client saw open: once that has ended it is refused, also when stock came back.
   */
  tap: {
    opcode: 0x17,
    way: "up",
    fields: {
      id: ID,
      key: KEY,
      dropId: text(40),
      quantity: uint(99, 1),
      restockEpoch: U32,
      attempt: ATTEMPT,
    },
  },
  pay: { opcode: 0x06, way: "up", fields: { id: ID, holdId: KEY, attempt: ATTEMPT } },
  cancel: { opcode: 0x07, way: "up", fields: { id: ID, holdId: KEY, attempt: ATTEMPT } },
  catchUp: { opcode: 0x08, way: "up", fields: { offset: U53 } },
  signal: { opcode: 0x09, way: "up", fields: { id: ID, name: oneOf(...SIGNALS), body: JSON_TEXT } },
  claim: {
    opcode: 0x0b,
    way: "up",
    fields: { id: ID, key: KEY, couponId: text(40), attempt: ATTEMPT },
  },
  redeem: {
    opcode: 0x0c,
    way: "up",
    fields: {
      id: ID,
      key: KEY,
      dropId: text(40),
      quantity: uint(99, 1),
      coupons: list(text(40), LIMITS.maxCouponsPerHold),
      pass: PASS,
      attempt: ATTEMPT,
    },
  },
} as const satisfies Record<string, FrameSpec>;

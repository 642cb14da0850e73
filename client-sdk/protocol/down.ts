/** What the server sends. Opcodes from 0x40, by lane. */
import { DOOR_DOWN } from "./door.ts";
import { flag, list, oneOf, text, uint } from "./fields.ts";
import { type FrameSpec, ID, JSON_TEXT, U32, U53 } from "./kinds.ts";
import { CLIENT_LIMITS as LIMITS } from "./limits.ts";
import { COMMENT, COUPON, DROP, ORDER, PRODUCT, ROLE } from "./records.ts";

/** Codes a command can fail with: the world failing, never an ordinary answer. */
export const FAILURES = [
  "storeDown",
  "mediaDown",
  "mediaBusy",
  "timeout",
  "notAllowed",
  "notFound",
  "badRequest",
  "draining",
] as const;

export const DOWN = {
  ...DOOR_DOWN,

  // to one client
  welcome: {
    opcode: 0x40,
    way: "down",
    fields: {
      serverAtMs: U53,
      epoch: text(40),
      offset: U53,
      tick: U53,
      viewerId: text(40),
      role: ROLE,
      resumed: flag,
    },
  },
  joined: { opcode: 0x41, way: "down", fields: { offset: U53 } },
  beaten: { opcode: 0x42, way: "down", fields: { clientAtMs: U53, serverAtMs: U53 } },
  failed: {
    opcode: 0x43,
    way: "down",
    fields: { id: ID, code: oneOf(...FAILURES), retryable: flag, retryAfterMs: U32 },
  },
  commentAnswered: {
    opcode: 0x44,
    way: "down",
    fields: {
      id: ID,
      result: oneOf("accepted", "tooFast", "muted", "blocked"),
      commentNo: U53,
      retryAfterMs: U32,
    },
  },
  reacted: { opcode: 0x45, way: "down", fields: { seq: U32 } },
  holdAnswered: {
    opcode: 0x46,
    way: "down",
    fields: {
      id: ID,
      result: oneOf(
        "held",
        "soldOut",
        "limit",
        "notOpen",
        "closed",
        "pending",
        "tooFast",
        "coupon",
        "pass",
      ),
      holdId: text(LIMITS.maxKeyChars, 0),
      deadlineMs: U53,
      quantity: uint(99),
      retryAfterMs: U32,
    },
  },
  payAnswered: {
    opcode: 0x47,
    way: "down",
    fields: {
      id: ID,
      result: oneOf("paying", "sold", "expired", "cancelled", "notHeld"),
      orderId: text(40, 0),
    },
  },
  cancelAnswered: {
    opcode: 0x48,
    way: "down",
    fields: { id: ID, result: oneOf("cancelled", "paying", "sold", "expired", "notHeld") },
  },
  signalAnswered: { opcode: 0x49, way: "down", fields: { id: ID, body: JSON_TEXT } },
  mediaChanged: { opcode: 0x4a, way: "down", fields: { body: JSON_TEXT } },
  goaway: { opcode: 0x4b, way: "down", fields: { delayMs: U32 } },
  ticket: { opcode: 0x96, way: "down", fields: { ticket: text(1024) } },
  feedChanged: {
    opcode: 0x92,
    way: "down",
    fields: { feed: oneOf("full", "lite", "core") },
  },
  orderChanged: { opcode: 0x4c, way: "down", fields: ORDER.fields },
  claimAnswered: {
    opcode: 0x80,
    way: "down",
    fields: { id: ID, result: oneOf("granted", "gone", "limit", "notOpen", "ended") },
  },
  couponsKept: {
    opcode: 0x81,
    way: "down",
    fields: { couponId: text(40), unused: uint(99), version: U53 },
  },
  couponList: { opcode: 0x82, way: "down", fields: { coupons: list(COUPON, 200) } },
  snapshot: {
    opcode: 0x4d,
    way: "down",
    fields: {
      title: text(120, 0),
      currency: text(3),
      state: oneOf("scheduled", "live", "ended"),
      products: list(PRODUCT, 5000),
      pinned: list(text(40), 3),
      drops: list(DROP, 1000),
      viewers: U53,
      viewersVersion: U53,
      likes: U53,
      shares: U53,
      totalsVersion: U53,
      comments: list(COMMENT, LIMITS.maxRecentComments),
      slowModeMs: U32,
      /** None or one. */
      pinnedComment: list(COMMENT, 1),
    },
  },

  // R: every viewer, in order of `offset`, without a gap
  showStarted: { opcode: 0x50, way: "down", lane: "R", fields: { offset: U53, atMs: U53 } },
  showEnded: { opcode: 0x51, way: "down", lane: "R", fields: { offset: U53, atMs: U53 } },
  productChanged: {
    opcode: 0x52,
    way: "down",
    lane: "R",
    fields: { offset: U53, product: PRODUCT },
  },
  pinned: { opcode: 0x53, way: "down", lane: "R", fields: { offset: U53, sku: text(40) } },
  unpinned: { opcode: 0x54, way: "down", lane: "R", fields: { offset: U53, sku: text(40) } },
  dropAnnounced: { opcode: 0x55, way: "down", lane: "R", fields: { offset: U53, drop: DROP } },
  dropOpened: {
    opcode: 0x56,
    way: "down",
    lane: "R",
    fields: { offset: U53, dropId: text(40), atMs: U53 },
  },
  dropSoldOut: {
    opcode: 0x57,
    way: "down",
    lane: "R",
    fields: {
      offset: U53,
      dropId: text(40),
      atMs: U53,
      restockEpoch: U32,
      /** Every tap of this epoch that waits still is hereby refused. */
      answersTaps: flag,
    },
  },
  dropClosed: {
    opcode: 0x58,
    way: "down",
    lane: "R",
    fields: { offset: U53, dropId: text(40), atMs: U53 },
  },
  muted: {
    opcode: 0x59,
    way: "down",
    lane: "R",
    fields: { offset: U53, viewerId: text(40), untilMs: U53 },
  },
  commentDeleted: { opcode: 0x5a, way: "down", lane: "R", fields: { offset: U53, commentNo: U53 } },

  dropVoided: {
    opcode: 0x5b,
    way: "down",
    lane: "R",
    fields: { offset: U53, dropId: text(40), atMs: U53, reason: text(200) },
  },
  dropDrawn: {
    opcode: 0x5c,
    way: "down",
    lane: "R",
    fields: { offset: U53, dropId: text(40), atMs: U53, seed: text(64), entrants: U32 },
  },

  couponAnnounced: {
    opcode: 0x83,
    way: "down",
    lane: "R",
    fields: { offset: U53, coupon: COUPON },
  },

  slowModeChanged: {
    opcode: 0x5d,
    way: "down",
    lane: "R",
    fields: { offset: U53, slowModeMs: U32 },
  },
  commentPinned: {
    opcode: 0x5e,
    way: "down",
    lane: "R",
    fields: { offset: U53, comment: COMMENT },
  },
  commentUnpinned: {
    opcode: 0x5f,
    way: "down",
    lane: "R",
    fields: { offset: U53, commentNo: U53 },
  },

  // S: the highest version wins, none goes backwards
  stockChanged: {
    opcode: 0x60,
    way: "down",
    lane: "S",
    fields: {
      dropId: text(40),
      version: U53,
      available: U32,
      held: U32,
      sold: U32,
      restockEpoch: U32,
      waitlisted: U32,
      waitServed: U32,
    },
  },
  couponChanged: {
    opcode: 0x84,
    way: "down",
    lane: "S",
    fields: { couponId: text(40), version: U53, left: U32 },
  },
  viewersChanged: { opcode: 0x61, way: "down", lane: "S", fields: { version: U53, count: U53 } },

  // V: a fair sample with its receipt: accepted = sum of the comments' counts + skipped, in every frame; `thinned` of the skipped
  // were shown to who hears more. `upTo` counts what this feed has accounted for so far, so that a missing frame shows. An empty
  // receipt (accepted 0): comments of earlier ticks, or one's own.
  comments: {
    opcode: 0x70,
    way: "down",
    lane: "V",
    fields: {
      tick: U53,
      atMs: U53,
      accepted: U32,
      skipped: U32,
      thinned: U32,
      upTo: U53,
      comments: list(COMMENT, LIMITS.maxCommentsPerFrame),
    },
  },

  // A: running totals
  totals: {
    opcode: 0x78,
    way: "down",
    lane: "A",
    fields: { version: U53, likes: U53, shares: U53 },
  },
} as const satisfies Record<string, FrameSpec>;

/** The wire. Everything about it is defined below this folder and nowhere else. */
export { CLOSES, type CloseWord, type Comeback, comebackAfter } from "./closes.ts";
export {
  decodeDown,
  decodeDownText,
  decodeUp,
  decodeUpText,
  encodeUp,
  type Malformed,
  rawOf,
  toArray,
} from "./codec.ts";
export {
  type Body,
  type DownFrame,
  type FailureCode,
  type Frame,
  FRAMES,
  type FrameName,
  type NamesGoing,
  type SignalName,
  type UpFrame,
} from "./frames.ts";
export { CLIENT_LIMITS, LIMITS } from "./limits.ts";
export type { MediaAsk, MediaLease, MediaTell } from "./media.ts";
export { mediaAskChannel, mediaTellChannel } from "./media.ts";
export {
  type Admission,
  type Comment,
  COMMENT,
  type Coupon,
  COUPON,
  type Drop,
  DROP,
  type DropState,
  type Order,
  ORDER,
  type OrderState,
  type Product,
  PRODUCT,
  type Role,
} from "./records.ts";
/** WebSocket subprotocols. A server that is offered the third takes it: it is the first, with large ticks of lane V deflated. */
export const SUBPROTOCOLS = [
  "dropcast.v1.msgpack",
  "dropcast.v1.json",
  "dropcast.v1.deflate",
] as const;
/** First byte of a message that is a deflated frame (RFC 1951): one that no msgpack begins with. */
export const DEFLATED = 0xc1;
/** Path of the WebSocket endpoint on RT_PORT. */
export const RT_PATH = "/v1/rt";
/** Where a stream of events is opened, on the same port, by those who cannot have a WebSocket. */
export const SSE_PATH = "/v1/sse";
export {
  emptyRoom,
  fold,
  forgetOld,
  fromSnapshot,
  offsetOf,
  type RoomState,
  toSnapshot,
} from "./fold.ts";
export { SIGNALS } from "./up.ts";

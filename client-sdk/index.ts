/** Dropcast's SDK, for browsers and Node: a live room in one object. */
export { connect } from "./connect.ts";
export { preloadVideo } from "./video.ts";
export {
  type CancelAnswer,
  type ClaimAnswer,
  type CommentAnswer,
  type Connection,
  type ConnectOptions,
  type HoldAnswer,
  type Live,
  type LiveEvents,
  type LiveState,
  type LiveVideo,
  type PayAnswer,
  type PrepareAnswer,
  SdkFault,
  type VideoState,
  type WaitAnswer,
} from "./live.ts";
export type { Comment, Coupon, Drop, Order, Product, RoomState } from "#wire";

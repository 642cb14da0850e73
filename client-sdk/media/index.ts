/** Live video for browsers. Imported lazily by the SDK's core: with mediasoup-client it is several times the core's size. */
export type { MediaNotice, OnAir } from "./notices.ts";
export type { SignalPort } from "./port.ts";
export {
  publishCamera,
  type LayerStats,
  type Publishing,
  type PublishOptions,
  type PublishState,
} from "./publish.ts";
export {
  type VideoState,
  watchVideo,
  type Watching,
  type WatchOptions,
  type WatchStats,
} from "./watch.ts";

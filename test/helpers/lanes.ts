/** Shards that write down what lanes publish instead of publishing it. */
import { decodeDown, type DownFrame } from "#wire";
import type { LanePorts } from "../../server/room/lanes.ts";
import type { Feed } from "../../server/room/shards.ts";

export interface Published {
  readonly feed: Feed | "all";
  readonly frame: DownFrame;
}

export interface WrittenShards {
  isFlushing: boolean;
}

/** Everybody is on `full` unless told otherwise. */
export function shardsOf(
  wrote: (published: Published) => void,
  sizes: Partial<Readonly<Record<Feed, number>>> = { full: 1 },
): LanePorts["shards"] & WrittenShards {
  return {
    urgent: (bytes) => wrote({ feed: "all", frame: read(bytes) }),
    later(feed, bytes) {
      if ((sizes[feed] ?? 0) > 0) wrote({ feed, frame: read(bytes) });
    },
    isFlushing: false,
    isUrgentWaiting: false,
    size: (feed) => sizes[feed] ?? 0,
  };
}

function read(bytes: Uint8Array): DownFrame {
  const frame = decodeDown(bytes);
  if (frame.kind === "malformed") throw new Error(frame.why);
  return frame;
}

/** What is held against every viewer of a scenario, whatever it was about. */
import { inflateRawSync } from "node:zlib";
import type { Redis } from "ioredis";
import { expect } from "vitest";
import type { Live } from "#sdk";
import { decodeDown, decodeDownText, DEFLATED, DROP, type DownFrame } from "#wire";
import { showKeys } from "../../server/redis/keys.ts";
import { readEntry } from "../../server/room/log.ts";
import { openShow } from "../../server/room/open.ts";
import { until, type World } from "../helpers/rooms.ts";

/** Sums of the receipts of lane V. */
export interface Receipt {
  accepted: number;
  shown: number;
  skipped: number;
}

export function add(receipt: Receipt, frame: Extract<DownFrame, { kind: "comments" }>): void {
  const { accepted, skipped, comments } = frame;
  if (accepted === 0) return;
  const shown = comments.reduce((sum, { count }) => sum + count, 0);
  // In every frame, not only in the sum.
  expect(accepted, "a receipt balances").toBe(shown + skipped);
  receipt.accepted += accepted;
  receipt.shown += shown;
  receipt.skipped += skipped;
}

const inflated = (message: Uint8Array): Uint8Array =>
  message[0] === DEFLATED ? inflateRawSync(message.subarray(1)) : message;

/** The platform's WebSocket, with its messages seen on the way. */
export const tapped = (heard: (frame: DownFrame) => void): typeof WebSocket =>
  class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
        const frame =
          typeof data === "string"
            ? decodeDownText(data)
            : decodeDown(inflated(new Uint8Array(data as ArrayBuffer)));
        if (frame.kind === "malformed") throw new Error(frame.why);
        heard(frame);
      });
    }
  };

/** Of lane R, as the log has them. */
export async function eventsOf(redis: Redis, show: string): Promise<readonly DownFrame[]> {
  const raw = await redis.xrangeBuffer(showKeys(show).log, "-", "+");
  return raw.flatMap((entry) =>
    readEntry(entry as never).fields.flatMap(([field, bytes]) => {
      if (field !== "R") return [];
      const frame = decodeDown(bytes);
      if (frame.kind === "malformed") throw new Error(frame.why);
      return [frame];
    }),
  );
}

/** Waits until the client's screen is what the store has; says what is different when it is not. */
export async function sameAsStore(world: World, show: string, live: Live): Promise<void> {
  const look = async (): Promise<readonly [screen: unknown, store: unknown]> => {
    const opened = await openShow(world.store, show);
    return [screenOf(live.state), screenOf(opened?.state ?? live.state)];
  };
  const isSame = async (): Promise<boolean> => {
    const [screen, store] = await look();
    return JSON.stringify(screen) === JSON.stringify(store);
  };
  await until(isSame, 10_000).catch(async () => {
    const [screen, store] = await look();
    expect(screen, live.state.viewerId).toEqual(store);
  });
}

const DROP_FIELDS = Object.keys((DROP as unknown as { readonly fields: object }).fields);

const screenOf = (
  state: Pick<
    Live["state"],
    | "title"
    | "state"
    | "products"
    | "pinned"
    | "drops"
    | "likes"
    | "shares"
    | "slowModeMs"
    | "pinnedComment"
    | "offset"
  >,
): unknown => ({
  title: state.title,
  state: state.state,
  products: [...state.products]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { sku, title, priceCents, stock }]) => [sku, title, priceCents, stock]),
  pinned: state.pinned,
  drops: [...state.drops.values()]
    .sort((a, b) => (a.dropId < b.dropId ? -1 : 1))
    .map((drop) => DROP_FIELDS.map((field) => drop[field as "dropId"])),
  likes: state.likes,
  shares: state.shares,
  slowModeMs: state.slowModeMs,
  pinnedNo: state.pinnedComment?.no ?? 0,
  offset: state.offset,
});

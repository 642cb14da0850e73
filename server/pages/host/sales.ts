/** Orders as they come in, summed once each: read page by page after a drop's sold units have changed. The newest are kept to be shown. */
import { type ReadonlySignal, signal } from "@preact/signals";
import { ApiRefusal, ServerAway } from "../shared/http.ts";
import type { Room } from "../shared/room.ts";
import type { Actions, SoldOrder } from "./actions.ts";

export interface Sums {
  readonly gmvCents: number;
  readonly orders: number;
  readonly buyers: number;
  /** Most people watching at once: the show's, else what this page has seen. */
  readonly peakViewers: number;
}

export interface Sales {
  readonly now: ReadonlySignal<Sums>;
  /** The newest orders, newest first. */
  readonly recent: ReadonlySignal<readonly SoldOrder[]>;
  /** After something was done to an order. */
  readonly refresh: () => void;
  /** @returns a function that ends it */
  readonly follow: () => () => void;
}

const PAGE_SIZE = 1000;
/** Reads at most this often, however fast things sell. */
const REST_MS = 1000;
const MOST_RECENT = 12;

export function createSales(room: Room, actions: Actions): Sales {
  const now = signal<Sums>({ gmvCents: 0, orders: 0, buyers: 0, peakViewers: room.viewers.value });
  const recent = signal<readonly SoldOrder[]>([]);
  const buyers = new Set<string>();
  let isReading = false;
  let isStale = false;

  const readPages = async (): Promise<void> => {
    for (;;) {
      const page = await actions.orders(now.value.orders);
      for (const order of page.orders) buyers.add(order.viewerId);
      const gmvCents = page.orders.reduce(
        (sum, order) => sum + order.amountCents,
        now.value.gmvCents,
      );
      now.value = {
        ...now.value,
        gmvCents,
        orders: now.value.orders + page.orders.length,
        buyers: buyers.size,
      };
      if (page.orders.length < PAGE_SIZE) return;
    }
  };
  /** @returns true while the money of one of them is on its way back: its state will change */
  const readRecent = async (): Promise<boolean> => {
    const page = await actions.orders(Math.max(0, now.value.orders - MOST_RECENT));
    recent.value = page.orders.slice(-MOST_RECENT).toReversed();
    return recent.value.some((order) => order.state === "refunding");
  };
  const read = async (): Promise<void> => {
    isStale = true;
    if (isReading) return;
    isReading = true;
    while (isStale) {
      isStale = false;
      try {
        await readPages();
        if (await readRecent()) isStale = true;
      } catch (fault) {
        // Figures wait for the server to come back; the next sale, or the next connection, asks again.
        if (!(fault instanceof ServerAway || fault instanceof ApiRefusal)) throw fault;
      }
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
    }
    isReading = false;
  };
  return {
    now,
    recent,
    refresh: () => void read(),
    follow: () => {
      void read();
      const offs = [
        room.live.on("stockChanged", () => void read()),
        room.live.on("connectionChanged", () => void read()),
        room.viewers.subscribe((viewers) => {
          const peakViewers = Math.max(now.value.peakViewers, viewers);
          if (peakViewers !== now.value.peakViewers) now.value = { ...now.value, peakViewers };
        }),
      ];
      return () => {
        for (const off of offs) off();
      };
    },
  };
}

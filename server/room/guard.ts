/**
 * Stands between the log and a room's mirror: orders of drops of class `replica` are held back until replicas have them, and with
 * them everything this node would show of such a hold. A node reads the log at the primary, which may know what nobody else does
 * yet; so every node waits for itself, and no node needs another's word. Stock and events pass at once: a screen may be ahead of the
 * replicas with a number, never with "yours". [F1]
 * Told holds are in the journal's file before they are told. Cost for shows without such drops: nothing.
 */
import { type Order, ORDER, rawOf } from "#wire";
import { packValue } from "#wire/server";
import { pause } from "../loop.ts";
import type { Journal, JournaledHold, RecordState } from "../shop/journal.ts";
import { readOrders } from "./entries.ts";
import type { LogEntry, LogReader } from "./log.ts";
import type { Opened, Owned } from "./mirror.ts";

export interface Guard {
  readonly reader: LogReader;
  /** What was read at the opening, without the orders that are held back. */
  readonly opened: Opened & { readonly lastId: string };
  /** This show has drops of class replica. */
  readonly isNeeded: boolean;
  /** The drop is of class replica. */
  isGuarded(dropId: string): boolean;
  isWithheld(viewerId: string, holdId: string): boolean;
  /** All that was decided so far is on the replicas. At once false while they are known to be away. */
  reach(): Promise<boolean>;
  /** Redis has decided a hold. @returns whether its buyer may be told: true when replicas have it */
  decided(hold: JournaledHold): Promise<boolean>;
}

export interface GuardPorts {
  readonly show: string;
  readonly opened: Opened & { readonly lastId: string; readonly guarded: readonly string[] };
  readonly reader: LogReader;
  readonly journal: Pick<Journal, "note" | "knows" | "written">;
  /** See shop/fence.ts. */
  readonly reach: (show: string, epoch: string) => Promise<boolean>;
}

const AGAIN_AFTER_MS = 50;
const STATE_OF: Readonly<Partial<Record<Order["state"], RecordState>>> = {
  held: "told",
  paying: "told",
  sold: "paid",
  expired: "ended",
  cancelled: "ended",
};

export function createGuard({ show, opened, reader, journal, ...ports }: GuardPorts): Guard {
  const { epoch } = opened;
  const guarded = new Set(opened.guarded);
  const stop = new AbortController();
  const waits = new Map<string, number>();
  let withheld: Owned[] = [];
  let deliver: ((entries: readonly LogEntry[]) => void) | undefined;
  let settling = false;
  let isShort = false;

  const isGuarded = ([, order]: Owned): boolean => guarded.has(order.dropId);
  const withhold = (orders: readonly Owned[]): void => {
    for (const owned of orders) {
      const id = idOf(owned[0], owned[1].holdId);
      waits.set(id, (waits.get(id) ?? 0) + 1);
      withheld.push(owned);
    }
    void settle();
  };
  const release = (count: number): void => {
    const orders = withheld.slice(0, count);
    withheld = withheld.slice(count);
    for (const [viewerId, order] of orders) {
      const id = idOf(viewerId, order.holdId);
      const left = (waits.get(id) ?? 1) - 1;
      if (left === 0) waits.delete(id);
      else waits.set(id, left);
    }
    deliver?.([{ id: "", offset: 0, fields: [["O", packOrders(orders)]] }]);
  };
  const settle = async (): Promise<void> => {
    if (settling) return;
    settling = true;
    while (withheld.length > 0 && !stop.signal.aborted) {
      const count = withheld.length;
      isShort = !(await ports.reach(show, epoch));
      if (stop.signal.aborted) return;
      if (isShort) await pause(AGAIN_AFTER_MS, stop.signal);
      else {
        for (const [viewerId, order] of withheld.slice(0, count)) noteTold(viewerId, order);
        await journal.written();
        if (stop.signal.aborted) return;
        release(count);
      }
    }
    settling = false;
  };
  const noteTold = (viewerId: string, order: Order): void => {
    const { holdId: key, dropId, quantity, deadlineMs, discountCents, state } = order;
    const hold = { viewerId, key, dropId, quantity, deadlineMs, coupons: [] };
    const noted = STATE_OF[state];
    // Which coupons it redeemed only the node knows that asked for it.
    if (noted === undefined || (discountCents > 0 && !journal.knows(show, hold))) return;
    journal.note(show, epoch, hold, noted);
  };

  /** The entry without what is held back. */
  const pass = (entry: LogEntry): LogEntry => {
    for (const [field, bytes] of entry.fields)
      if (field === "W") for (const dropId of rawOf(bytes) as string[]) guarded.add(dropId);
    if (guarded.size === 0) return entry;
    const fields: LogEntry["fields"][number][] = [];
    for (const [field, bytes] of entry.fields) {
      const orders = field === "O" ? readOrders(bytes) : [];
      const free = orders.filter((owned) => !isGuarded(owned));
      if (orders.length > free.length) withhold(orders.filter(isGuarded));
      if (free.length > 0) fields.push(["O", packOrders(free)]);
      if (field !== "O" && field !== "W") fields.push([field, bytes]);
    }
    return { ...entry, fields };
  };

  withhold(opened.orders.filter(isGuarded));
  return {
    opened: { ...opened, orders: opened.orders.filter((owned) => !isGuarded(owned)) },
    reader: {
      follow(of, afterId, onEntries) {
        deliver = onEntries;
        const unfollow = reader.follow(of, afterId, (entries) => onEntries(entries.map(pass)));
        return () => {
          stop.abort();
          unfollow();
        };
      },
      stop: () => reader.stop(),
    },
    get isNeeded() {
      return guarded.size > 0;
    },
    isGuarded: (dropId) => guarded.has(dropId),
    isWithheld: (viewerId, holdId) => waits.size > 0 && waits.has(idOf(viewerId, holdId)),
    reach: async () => !isShort && ports.reach(show, epoch),
    async decided(hold) {
      journal.note(show, epoch, hold, "decided");
      if (isShort || !(await ports.reach(show, epoch))) return false;
      journal.note(show, epoch, hold, "told");
      await journal.written();
      return true;
    },
  };
}

const idOf = (viewerId: string, holdId: string): string => `${viewerId}|${holdId}`;

const FIELDS = Object.keys(ORDER.fields) as (keyof Order)[];

const packOrders = (orders: readonly Owned[]): Buffer =>
  packValue(orders.map(([viewerId, order]) => [viewerId, ...FIELDS.map((field) => order[field])]));

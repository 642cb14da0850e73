/**
 * What one webhook still has to be sent of one show, in memory. Events of a lane go one after the other; a failing one is
 * parked and holds up only its own lane. Pure: no clock, no I/O; the same calls give the same order.
 * `cursor` says how far everything is delivered or parked: what is saved with it suffices to go on after a crash.
 */
export interface Item {
  readonly no: number;
  readonly entryId: string;
  readonly id: string;
  readonly lane: string;
  readonly body: string;
  attempts: number;
}

/** Everything up to event `no` of outbox entry `entryId` is done with. */
export interface Cursor {
  readonly entryId: string;
  readonly no: number;
}

export interface QueueChanges {
  readonly cursor: Cursor;
  readonly parked: readonly Item[];
  readonly unparked: readonly number[];
  /** Parked events up to the cursor. */
  readonly parkedBehind: number;
}

export interface Queue {
  /** The next event of the outbox; numbers rise. */
  take(item: Item): void;
  /** An event that this webhook does not want. */
  skip(at: Cursor): void;
  /** An event that was parked before a restart, in order of number, before any `take`. */
  restore(item: Item, dueAtMs: number): void;
  /**
   * What to send now, fresh lanes first; it stays under way until `delivered` or `failed`.
   * @param isProbe the receiver is asked whether it is back: if nothing is due, with what is due first
   */
  next(nowMs: number, isProbe: boolean): Item | undefined;
  delivered(item: Item): void;
  failed(item: Item, dueAtMs: number): void;
  /**
   * The receiver is back: everything parked is due by then.
   * @param again also what was hastened before and failed all the same: that may be disliked for itself
   */
  hasten(dueAtMs: number, again: boolean): void;
  /** Events taken that are neither delivered nor parked. */
  readonly open: number;
  readonly parked: number;
  readonly cursor: Cursor;
  /** What to save; undefined when nothing has changed since the last call. */
  changes(): QueueChanges | undefined;
}

export function createQueue(from: Cursor): Queue {
  const lanes = new Map<string, Item[]>();
  const ready = new Set<string>();
  const delayed = new Map<string, number>();
  const open = new Map<number, Item>();
  const parked = new Map<number, Item>();
  const toPark = new Map<number, Item>();
  const toUnpark = new Set<number>();
  const hastened = new Set<number>();
  let last = from;
  let isChanged = false;

  const park = (item: Item): void => {
    open.delete(item.no);
    parked.set(item.no, item);
    toPark.set(item.no, item);
  };
  const append = (item: Item): boolean => {
    const lane = lanes.get(item.lane);
    if (lane === undefined) lanes.set(item.lane, [item]);
    else lane.push(item);
    return lane === undefined;
  };
  const firstDue = (byMs: number): string | undefined => {
    let found: string | undefined;
    let earliestMs = byMs;
    for (const [lane, dueAtMs] of delayed)
      if (dueAtMs <= earliestMs) [found, earliestMs] = [lane, dueAtMs];
    return found;
  };
  const cursor = (): Cursor => {
    const [first] = open.values();
    return first === undefined ? last : { entryId: first.entryId, no: first.no - 1 };
  };

  return {
    take(item) {
      last = { entryId: item.entryId, no: item.no };
      isChanged = true;
      const isFirst = append(item);
      const head = lanes.get(item.lane)?.[0] as Item;
      if (isFirst) ready.add(item.lane);
      if (parked.has(head.no)) park(item);
      else open.set(item.no, item);
    },
    skip(at) {
      last = at;
      isChanged = true;
    },
    restore(item, dueAtMs) {
      parked.set(item.no, item);
      if (append(item)) delayed.set(item.lane, dueAtMs);
    },
    next(nowMs, isProbe) {
      const [fresh] = ready;
      const lane = fresh ?? firstDue(isProbe ? Infinity : nowMs);
      if (lane === undefined) return undefined;
      ready.delete(lane);
      delayed.delete(lane);
      return lanes.get(lane)?.[0];
    },
    delivered(item) {
      isChanged = true;
      open.delete(item.no);
      hastened.delete(item.no);
      if (parked.delete(item.no)) {
        toPark.delete(item.no);
        toUnpark.add(item.no);
      }
      const lane = lanes.get(item.lane) ?? [];
      lane.shift();
      if (lane.length === 0) lanes.delete(item.lane);
      else ready.add(item.lane);
    },
    failed(item, dueAtMs) {
      isChanged = true;
      item.attempts++;
      park(item);
      for (const behind of lanes.get(item.lane) ?? []) if (open.has(behind.no)) park(behind);
      delayed.set(item.lane, dueAtMs);
    },
    hasten(dueAtMs, again) {
      for (const [lane, atMs] of delayed) {
        const no = lanes.get(lane)?.[0]?.no ?? 0;
        if (atMs <= dueAtMs || (hastened.has(no) && !again)) continue;
        hastened.add(no);
        delayed.set(lane, dueAtMs);
      }
    },
    get open() {
      return open.size;
    },
    get parked() {
      return parked.size;
    },
    get cursor() {
      return cursor();
    },
    changes() {
      if (!isChanged) return undefined;
      isChanged = false;
      const at = cursor();
      const changes = {
        cursor: at,
        parked: [...toPark.values()],
        unparked: [...toUnpark],
        parkedBehind: [...parked.keys()].filter((no) => no <= at.no).length,
      };
      toPark.clear();
      toUnpark.clear();
      return changes;
    },
  };
}

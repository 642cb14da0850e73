/** What an operator may ask of a webhook: how it stands, and to be sent everything again from an event or a time on. */
import type { Endpoint } from "./endpoints.ts";
import { firstNoOf, readEvents, showOfEvent } from "./events.ts";
import type { OutboxStore, Progress } from "./store.ts";

export interface Standing {
  readonly delivered: number;
  /** Events that lie in the outbox for it, those that failed included. */
  readonly waiting: number;
  readonly failures: number;
  readonly failingSinceMs?: number;
  readonly lastError?: string;
}

export type ReplayFrom =
  | { readonly fromId: string }
  /** By Redis TIME, when events were derived. */
  | { readonly sinceMs: number };

const ENTRIES_PER_PAGE = 200;
const MAX_TOGETHER = 32;

/** Over all shows. Cost: three reads per show that has events. */
export async function standingOf(
  store: OutboxStore,
  shows: readonly string[],
  endpoint: Endpoint,
): Promise<Standing> {
  const sum = { delivered: 0, waiting: 0, failures: 0 };
  let failing: Pick<Progress, "failingSinceMs" | "lastError"> = {};
  await inChunks(shows, async (show) => {
    const [events, progress] = await Promise.all([store.eventsOf(show), store.progressOf(show)]);
    if (events === 0) return;
    const own = progress.get(endpoint.id);
    if (own === undefined) {
      sum.waiting += events - ((await doneBefore(store, show, endpoint.createdAtMs)) ?? events);
      return;
    }
    sum.delivered += own.delivered;
    sum.failures += own.failures;
    sum.waiting += events - own.no + own.parked;
    if (own.failingSinceMs !== undefined) failing = own;
  });
  const { failingSinceMs, lastError } = failing;
  return {
    ...sum,
    ...(failingSinceMs === undefined ? {} : { failingSinceMs }),
    ...(lastError === undefined ? {} : { lastError }),
  };
}

/** @returns how many events come again, over all shows; undefined when there is no such event any more */
export async function replay(
  store: OutboxStore,
  shows: readonly string[],
  endpoint: Endpoint,
  from: ReplayFrom,
): Promise<number | undefined> {
  if ("fromId" in from) {
    const show = showOfEvent(from.fromId);
    const place = show === undefined ? undefined : await placeOf(store, show, from.fromId);
    return show === undefined || place === undefined
      ? undefined
      : rewindTo(store, show, endpoint, place);
  }
  let count = 0;
  await inChunks(shows, async (show) => {
    const [first] = await store.entriesFrom(show, `${from.sinceMs}-0`, 1);
    if (first === undefined) return;
    const place = { entryId: first[0].toString(), no: firstNoOf(first) };
    count += await rewindTo(store, show, endpoint, place);
  });
  return count;
}

/** The webhook is gone: nothing is kept of it. */
export const forget = (store: OutboxStore, shows: readonly string[], id: string): Promise<void> =>
  inChunks(shows, async (show) => {
    if ((await store.eventsOf(show)) > 0) await store.rewind(show, id, undefined, 0);
  });

interface Place {
  readonly entryId: string;
  readonly no: number;
}

async function rewindTo(
  store: OutboxStore,
  show: string,
  { id }: Endpoint,
  { entryId, no }: Place,
): Promise<number> {
  const [events, progress] = await Promise.all([store.eventsOf(show), store.progressOf(show)]);
  const own = progress.get(id) ?? { delivered: 0, failures: 0, parked: 0 };
  await store.rewind(show, id, { ...own, entryId, no: no - 1 }, no);
  return events - no + 1;
}

async function placeOf(store: OutboxStore, show: string, id: string): Promise<Place | undefined> {
  for (let from = "-"; ;) {
    const entries = await store.entriesFrom(show, from, ENTRIES_PER_PAGE);
    for (const entry of entries) {
      const event = readEvents(show, entry).find((one) => one.id === id);
      if (event !== undefined) return event;
    }
    const last = entries.at(-1);
    if (last === undefined || entries.length < ENTRIES_PER_PAGE) return undefined;
    from = `(${last[0].toString()}`;
  }
}

/** Number of the last event before the time; undefined when none came after it. */
async function doneBefore(
  store: OutboxStore,
  show: string,
  atMs: number,
): Promise<number | undefined> {
  const [first] = await store.entriesFrom(show, `${atMs}-0`, 1);
  return first === undefined ? undefined : firstNoOf(first) - 1;
}

async function inChunks(
  shows: readonly string[],
  act: (show: string) => Promise<void>,
): Promise<void> {
  for (let i = 0; i < shows.length; i += MAX_TOGETHER)
    await Promise.all(shows.slice(i, i + MAX_TOGETHER).map(act));
}

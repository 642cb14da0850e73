/**
 * Brings one show's events to one webhook: reads the outbox, sends what may be sent, remembers how far it is. At least once:
 * after a crash up to about a thousand events may come again, with the ids they had. Cost: one request per event.
 */
import type { Endpoint } from "./endpoints.ts";
import {
  bodyOf,
  type DropFacts,
  type OutboxEvent,
  readEvents,
  type Surroundings,
} from "./events.ts";
import { type Backoff, backoffMs, type Gate } from "./gate.ts";
import type { Postman } from "./post.ts";
import { createQueue, type Item } from "./queue.ts";
import type { OutboxStore, Progress } from "./store.ts";

export interface Delivery {
  /** Takes in what is new, as far as there is room. @param events in the outbox so far */
  fill(events: number): Promise<void>;
  /** Starts every request that may start now. */
  pump(): void;
  /** @returns false when this process is no longer the one that delivers */
  save(): Promise<boolean>;
  /** The receiver is back. @param wasDown else something had failed, and that may be no matter of the receiver */
  hasten(wasDown: boolean): void;
  /** What is under way ends without a trace here. */
  abandon(): void;
  readonly isDone: boolean;
  /** Events taken and not delivered. */
  readonly waiting: number;
}

export interface DeliveryPorts {
  readonly show: string;
  readonly turn: number;
  readonly endpoint: Endpoint;
  readonly progress: Progress | undefined;
  readonly parked: readonly Item[];
  readonly store: OutboxStore;
  readonly postman: Postman;
  readonly gate: Gate;
  readonly backoff: Backoff;
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly chance: () => number;
  /** No further request may start. */
  readonly isStopping: () => boolean;
  readonly onAnswer: (isDelivered: boolean) => void;
  readonly onBack: (wasDown: boolean) => void;
}

const MAX_OPEN = 512;
/** Beyond this, further events wait in the outbox. */
const MAX_PARKED = 10_000;
const ENTRIES_PER_READ = 20;

export function createDelivery(ports: DeliveryPorts): Delivery {
  const { show, endpoint, store, postman, gate, nowMs } = ports;
  const from = ports.progress ?? { entryId: `${endpoint.createdAtMs}-0`, no: 0 };
  const queue = createQueue({ entryId: from.entryId, no: from.no });
  for (const item of ports.parked) queue.restore(item, nowMs());
  let readFrom = from.entryId;
  let caughtUpAt = -1;
  let isAbandoned = false;
  let { delivered = 0, failures = 0 } = ports.progress ?? {};
  const around = createSurroundings(store, show);

  const takeIn = (event: OutboxEvent, known: Surroundings): void => {
    const { no, entryId, id, lane, type } = event;
    if (no <= from.no) return;
    if (endpoint.types.length > 0 && !endpoint.types.includes(type)) queue.skip({ entryId, no });
    else queue.take({ no, entryId, id, lane, body: bodyOf(show, event, known), attempts: 0 });
  };
  const attempt = async (item: Item): Promise<void> => {
    const { url, secret } = endpoint;
    const { id, body } = item;
    const startedAtMs = nowMs();
    const reason = await postman.post({ url, secret, id, body, attempt: item.attempts + 1 });
    if (isAbandoned) {
      gate.dropped();
      return;
    }
    ports.onAnswer(reason === undefined);
    if (reason === undefined) {
      delivered++;
      queue.delivered(item);
      const comeback = gate.succeeded(startedAtMs);
      if (comeback !== "up") ports.onBack(comeback === "wasDown");
    } else {
      failures++;
      gate.failed(`${show}|${item.lane}`, reason, nowMs());
      queue.failed(item, nowMs() + backoffMs(ports.backoff, item.attempts + 1, ports.chance));
    }
    pump();
  };
  const pump = (): void => {
    if (isAbandoned || ports.isStopping()) return;
    while (gate.mayStart(nowMs())) {
      const item = queue.next(nowMs(), gate.isShut);
      if (item === undefined) return;
      gate.started();
      void attempt(item);
    }
  };
  return {
    pump,
    async fill(events) {
      while (events > caughtUpAt && queue.open < MAX_OPEN && queue.parked < MAX_PARKED) {
        const raw = await store.entriesFrom(show, readFrom, ENTRIES_PER_READ);
        const fresh = raw.flatMap((entry) => readEvents(show, entry));
        const known = await around(fresh);
        if (isAbandoned) return;
        for (const event of fresh) takeIn(event, known);
        const last = raw.at(-1);
        if (last !== undefined) readFrom = `(${last[0].toString()}`;
        if (raw.length < ENTRIES_PER_READ) caughtUpAt = events;
      }
    },
    async save() {
      const changes = queue.changes();
      if (changes === undefined) return true;
      const { failingSinceMs, lastError } = gate;
      const progress = {
        ...changes.cursor,
        delivered,
        failures,
        parked: changes.parkedBehind,
        ...(failingSinceMs === undefined ? {} : { failingSinceMs }),
        ...(lastError === undefined ? {} : { lastError }),
      };
      const { turn } = ports;
      return (
        (await store.settle({ show, turn, webhookId: endpoint.id, progress, changes })) === "kept"
      );
    },
    hasten: (wasDown) => queue.hasten(nowMs() + ports.chance() * ports.backoff.firstMs, wasDown),
    abandon() {
      isAbandoned = true;
    },
    get isDone() {
      return queue.open + queue.parked === 0;
    },
    get waiting() {
      return queue.open + queue.parked;
    },
  };
}

/** Title and drops of a show, read when an event names them for the first time. */
function createSurroundings(store: OutboxStore, show: string) {
  const drops = new Map<string, DropFacts | undefined>();
  let titled: { readonly title: string; readonly currency: string } | undefined;
  return async (events: readonly OutboxEvent[]): Promise<Surroundings> => {
    titled ??= await store.titleOf(show);
    const named = new Set(events.map((event) => event.dropId).filter((id) => id !== undefined));
    const unknown = [...named].filter((id) => !drops.has(id));
    const facts = await store.dropsOf(show, unknown);
    unknown.forEach((id, i) => drops.set(id, facts[i]));
    return { ...titled, dropOf: (id) => drops.get(id) };
  };
}

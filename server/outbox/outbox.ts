/**
 * The outbox: tells the shop's back end by signed webhooks what was sold. Follows every show's log, ten times a second, and
 * delivers what it derives from it. Guarantees [F7]: each event is derived once and delivered at least once, in order per order,
 * per drop and per show; a receiver that was down is asked again until it takes them, and ends where one that was up is.
 * The log keeps some 20,000 entries. Should this worker be down for longer than that lasts, a `gap` event says so, and the present
 * state of every order follows it. Without a webhook nothing is derived, nothing is stored. Any number of processes may run one.
 */
import type { Logger } from "pino";
import type { Part } from "../lifecycle.ts";
import { pause, startLoop } from "../loop.ts";
import { createDelivery, type Delivery } from "./delivery.ts";
import type { Endpoint, Endpoints } from "./endpoints.ts";
import { type Backoff, createGate, type Gate } from "./gate.ts";
import type { Postman } from "./post.ts";
import type { Item } from "./queue.ts";
import type { Derived, OutboxStore, Progress } from "./store.ts";

export interface OutboxFigures extends Readonly<Record<string, number>> {
  readonly webhooks: number;
  /** Of them, those whose last requests failed. */
  readonly webhooksFailing: number;
  readonly webhooksDelivered: number;
  readonly webhookFailures: number;
  /** Events taken up and not delivered; more may lie in the outbox. */
  readonly webhooksWaiting: number;
  /** Times that a part of a log was gone before it was read. */
  readonly outboxGaps: number;
}

export interface Outbox extends Part {
  /** Since this process started; see /v1/ops. */
  figures(): OutboxFigures;
}

export interface OutboxPorts {
  readonly store: OutboxStore;
  readonly endpoints: Pick<Endpoints, "list">;
  readonly postman: Postman;
  /** Shows in which something may happen; asked anew each round. */
  readonly shows: () => Iterable<string>;
  /** All shows: what an earlier process left behind is found among them. */
  readonly allShows: () => Promise<readonly string[]>;
  /** May all that this show has said so far be told? Not of drops of class replica before replicas have it. */
  readonly mayTell: (show: string) => Promise<boolean>;
  readonly backoff: Backoff;
  readonly chance: () => number;
  readonly log: Logger;
}

export const DEFAULT_BACKOFF: Backoff = { firstMs: 1000, longestMs: 60_000 };
/** Long enough for a slow shop, short enough for the order of one order's events. */
export const POST_TIMEOUT_MS = 10_000;

const EVERY_MS = 100;
const LOOK_AT_ENDPOINTS_EVERY_MS = 500;
const LOOK_AT_ALL_SHOWS_EVERY_MS = 60_000;
const MAX_TOGETHER = 32;
const MAX_DERIVE_CALLS = 20;
const MAX_IN_FLIGHT = 16;
const STOP_WAIT_MS = 1000;

interface Tended {
  readonly turn: number;
  /** Events that may be told. */
  told: number;
  readonly deliveries: Map<string, Delivery>;
}

interface Opening {
  readonly show: string;
  readonly turn: number;
  /** By webhook id. */
  readonly progress: ReadonlyMap<string, Progress>;
  readonly parked: ReadonlyMap<string, readonly Item[]>;
}

const nowMs = (): number => performance.now();

export function startOutbox(ports: OutboxPorts): Outbox {
  const { store, chance, log } = ports;
  let endpoints: readonly Endpoint[] = [];
  const gates = new Map<string, Gate>();
  const tended = new Map<string, Tended>();
  const counts = { delivered: 0, gaps: 0, failures: 0 };
  let isStopping = false;
  let endpointsAtMs = -Infinity;
  let allShowsAtMs = -Infinity;

  const gateOf = (id: string): Gate => {
    let gate = gates.get(id);
    if (gate === undefined) {
      const { backoff } = ports;
      gate = createGate({ ...backoff, most: MAX_IN_FLIGHT, chance, wallMs: () => Date.now() });
      gates.set(id, gate);
    }
    return gate;
  };
  const letGo = (show: string): void => {
    for (const delivery of tended.get(show)?.deliveries.values() ?? []) delivery.abandon();
    tended.delete(show);
  };
  const deriveAll = async (show: string): Promise<Derived> => {
    for (let call = 1; ; call++) {
      const derived = await store.derive(show);
      counts.gaps += derived.gaps;
      if (derived.word !== "more" || call === MAX_DERIVE_CALLS) return derived;
    }
  };
  const createFor = (at: Opening, endpoint: Endpoint): Delivery =>
    createDelivery({
      ...ports,
      ...at,
      endpoint,
      progress: at.progress.get(endpoint.id),
      parked: at.parked.get(endpoint.id) ?? [],
      gate: gateOf(endpoint.id),
      nowMs,
      isStopping: () => isStopping,
      onAnswer(isDelivered) {
        if (isDelivered) counts.delivered++;
        else counts.failures++;
      },
      onBack: (wasDown) => {
        for (const one of tended.values()) one.deliveries.get(endpoint.id)?.hasten(wasDown);
      },
    });
  /** The deliveries of a show, one per webhook; what another process or a replay has changed is read anew. */
  const open = async (show: string, turn: number): Promise<Tended> => {
    if (tended.get(show)?.turn !== turn) {
      letGo(show);
      // Whatever changed the turn may have removed a webhook before.
      endpoints = await ports.endpoints.list();
    }
    const opened = tended.get(show) ?? { turn, told: 0, deliveries: new Map<string, Delivery>() };
    tended.set(show, opened);
    for (const [id, delivery] of opened.deliveries)
      if (endpoints.every((endpoint) => endpoint.id !== id)) {
        delivery.abandon();
        opened.deliveries.delete(id);
      }
    const fresh = endpoints.filter(({ id }) => !opened.deliveries.has(id));
    if (fresh.length === 0) return opened;
    const [progress, parked] = await Promise.all([store.progressOf(show), store.parkedOf(show)]);
    for (const endpoint of fresh)
      opened.deliveries.set(endpoint.id, createFor({ show, turn, progress, parked }, endpoint));
    return opened;
  };
  const save = async (show: string, { deliveries }: Tended): Promise<void> => {
    try {
      const kept = await Promise.all([...deliveries.values()].map((delivery) => delivery.save()));
      if (kept.includes(false)) letGo(show);
    } catch (fault) {
      // What changed meanwhile is not saved: from here on only what Redis has counts.
      letGo(show);
      throw fault;
    }
  };
  const tend = async (show: string, isAwake: boolean): Promise<void> => {
    const { word, turn, events } = await deriveAll(show);
    if (word === "other" || word === "gone") return letGo(show);
    const opened = await open(show, turn);
    if (events > opened.told && (await ports.mayTell(show))) opened.told = events;
    for (const delivery of opened.deliveries.values()) {
      if (opened.told === events) await delivery.fill(events);
      delivery.pump();
    }
    await save(show, opened);
    const isDone = [...opened.deliveries.values()].every((delivery) => delivery.isDone);
    if (isDone && !isAwake && word === "derived" && opened.told === events) letGo(show);
  };
  const refresh = async (): Promise<void> => {
    if (nowMs() - endpointsAtMs < LOOK_AT_ENDPOINTS_EVERY_MS) return;
    endpointsAtMs = nowMs();
    const before = new Map(endpoints.map((one) => [one.id, one.url]));
    endpoints = await ports.endpoints.list();
    for (const { id } of endpoints) before.delete(id);
    for (const id of before.keys()) gates.delete(id);
  };
  const showsToTend = async (): Promise<ReadonlyMap<string, boolean>> => {
    const shows = new Map<string, boolean>();
    for (const show of tended.keys()) shows.set(show, false);
    if (nowMs() - allShowsAtMs >= LOOK_AT_ALL_SHOWS_EVERY_MS) {
      for (const show of await ports.allShows()) shows.set(show, false);
      allShowsAtMs = nowMs();
    }
    for (const show of ports.shows()) shows.set(show, true);
    return shows;
  };
  const round = async (stopping: AbortSignal): Promise<void> => {
    await refresh();
    if (endpoints.length === 0) {
      for (const show of tended.keys()) letGo(show);
      allShowsAtMs = -Infinity;
      return;
    }
    const shows = [...(await showsToTend())];
    for (let i = 0; i < shows.length && !stopping.aborted; i += MAX_TOGETHER) {
      const some = shows.slice(i, i + MAX_TOGETHER);
      await Promise.all(some.map(([show, isAwake]) => tend(show, isAwake)));
    }
  };
  const loop = startLoop({ name: "outbox", everyMs: EVERY_MS, log, step: round });
  const inFlight = (): number => [...gates.values()].reduce((sum, gate) => sum + gate.inFlight, 0);
  const waiting = (): number =>
    [...tended.values()]
      .flatMap(({ deliveries }) => [...deliveries.values()])
      .reduce((sum, delivery) => sum + delivery.waiting, 0);
  return {
    name: "outbox",
    async stop() {
      isStopping = true;
      await loop.stop();
      const enough = AbortSignal.timeout(STOP_WAIT_MS);
      while (inFlight() > 0 && !enough.aborted) await pause(10, enough);
      for (const [show, one] of tended) await saveAtStop(show, one);
      for (const show of tended.keys()) letGo(show);
      ports.postman.close();
    },
    figures: () => ({
      webhooks: endpoints.length,
      webhooksFailing: [...gates.values()].filter((gate) => gate.failingSinceMs !== undefined)
        .length,
      webhooksDelivered: counts.delivered,
      webhookFailures: counts.failures,
      webhooksWaiting: waiting(),
      outboxGaps: counts.gaps,
    }),
  };
  /** What cannot be saved now is delivered again by the next process. */
  async function saveAtStop(show: string, one: Tended): Promise<void> {
    try {
      await save(show, one);
    } catch (fault) {
      log.warn({ reason: (fault as Error).message }, "outbox: some events will be delivered again");
    }
  }
}

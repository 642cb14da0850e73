/**
 * The media plane of one node: mediasoup workers, a room per show, signalling with the gateways over Redis, a lease that
 * says it is alive, and the demo show's stand-in host. This process must be the only owner of what it starts here.
 *
 * `startMedia` resolves when workers listen, asks are heard and the first lease is written. `stop` resolves when no
 * timer, socket or child of it is left. mediasoup itself listens to SIGINT and SIGTERM and then closes its workers;
 * ending the process stays the caller's affair.
 */
import type { Redis } from "ioredis";
import type { MediaAsk, MediaLease } from "#wire";
import { createRooms, type Rooms } from "./rooms.ts";
import { createSessions } from "./sessions.ts";
import { createSignals } from "./signals.ts";
import { type StandIn, startStandIn } from "./demo/standin.ts";
import { holdLease, type Lease } from "./lease.ts";
import { type Link, openLink } from "./link.ts";
import type { Log } from "./log.ts";
import { startWorkers } from "./workers.ts";

export { PortTaken } from "./faults.ts";

export interface MediaOptions {
  /** Makes a new connection; called twice, once the link is stopped both are closed. */
  readonly redis: () => Redis;
  /** This node's id, unique in the installation. */
  readonly node: string;
  /** Port of the first worker, UDP and TCP; the others follow. */
  readonly rtcPort: number;
  /** What browsers are told to connect to, where that is not an address of this machine (NAT, container). */
  readonly announcedAddress?: string | undefined;
  readonly workers: number;
  /** The show whose host is played from a recording while nobody else is on air. */
  readonly demoShow?: string | undefined;
  readonly log: Log;
  /** A worker died and could not be replaced: end this process, so that it is started anew. */
  readonly onFailed?: ((error: Error) => void) | undefined;
}

export interface Media {
  stop(): Promise<void>;
}

/** How long `stop` waits for answers under way. */
const LAST_ANSWERS_MS = 1000;

/** @throws PortTaken; MediaFault when a worker cannot be started; or what Redis refused with */
export async function startMedia({
  redis,
  node,
  rtcPort,
  announcedAddress,
  workers: count,
  demoShow,
  log,
  onFailed,
}: MediaOptions): Promise<Media> {
  let rooms: Rooms | undefined;
  let link: Link | undefined;
  const workers = await startWorkers({
    rtcPort,
    count,
    announcedAddress,
    log,
    onDied: (worker) => rooms?.workerDied(worker),
    onFailed: (error) => {
      log.error({ reason: error.message }, "media failed");
      onFailed?.(error);
    },
  });
  const tell: Link["tell"] = (gateway, message) => link?.tell(gateway, message);
  const sessions = createSessions({
    nowMs: () => performance.now(),
    tell,
    onClosed: (show) => rooms?.settle(show),
  });
  rooms = createRooms({ workers, sessions, log });
  const signals = createSignals(rooms, sessions, log);
  let draining = false;
  const answering = new Set<Promise<void>>();
  const answer = async (ask: MediaAsk): Promise<void> => {
    const told = await signals.answer(ask);
    if (ask.ref !== 0) tell(ask.from, told);
  };
  const onAsk = (ask: MediaAsk): void => {
    if (ask.name === "left") return sessions.left(ask);
    if (draining)
      return tell(ask.from, {
        kind: "fault",
        ref: ask.ref,
        code: "draining",
        why: "this media process is stopping",
      });
    const work = answer(ask).finally(() => answering.delete(work));
    answering.add(work);
  };

  let standIn: StandIn | undefined;
  let lease: Lease | undefined;
  const stop = async (): Promise<void> => {
    draining = true;
    // Begun before anything is awaited: workers that go away under it (a signal reaches them too) must not bring it back.
    const standInGone = standIn?.stop();
    // Next, so that no gateway sends anybody here any more.
    await lease?.stop();
    await link?.deafen();
    await Promise.race([
      Promise.allSettled(answering),
      new Promise((resolve) => setTimeout(resolve, LAST_ANSWERS_MS).unref()),
    ]);
    await standInGone;
    sessions.stop();
    rooms.stop();
    await workers.stop();
    link?.stop();
    log.info({ node }, "media stopped");
  };
  const facts = async (): Promise<Pick<MediaLease, "sessions" | "workers">> => {
    sessions.sweep();
    await workers.measure();
    return {
      sessions: sessions.count,
      workers: workers.alive.map(({ pid, cpu, consumers }) => ({
        pid,
        cpu: Math.round(cpu * 1000) / 1000,
        consumers,
      })),
    };
  };
  try {
    link = await openLink({ redis, node, onAsk, log });
    lease = await holdLease({ redis: link.commands, node, facts, log });
    if (demoShow !== undefined) standIn = await startStandIn(rooms.of(demoShow), log);
  } catch (error) {
    await stop();
    throw error;
  }
  let stopping: Promise<void> | undefined;
  return { stop: () => (stopping ??= stop()) };
}

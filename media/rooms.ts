/**
 * One room per show: its router, who is on air in it, and news of both. A room opens its router at the first need and
 * again, on another worker, when its worker died. Rooms with nobody in them and nobody on air close after a minute.
 *
 * One worker carries a show for now. `origin` is where hosts attach, `edge` where viewers do: routers on further
 * workers, piped from the origin (one promise per show and worker), belong behind `edge` and nowhere else.
 */
import type { types } from "mediasoup";
import type { OnAir } from "../client-sdk/media/notices.ts";
import { called } from "./calls.ts";
import { ROOM_CODECS } from "./codecs.ts";
import { MediaFault } from "./faults.ts";
import { MEDIA_LIMITS } from "./limits.ts";
import type { Log } from "./log.ts";
import type { Sessions } from "./sessions.ts";
import type { MediaWorker, Workers } from "./workers.ts";

export interface Place {
  readonly router: types.Router;
  readonly on: MediaWorker;
}

/** Somebody whose picture and sound a room relays. */
export interface Source {
  readonly air: Exclude<OnAir, "nobody">;
  /** Another source took its place: it must end its producers now. */
  readonly takenOver: () => void;
}

export interface Room {
  readonly show: string;
  readonly onAir: OnAir;
  readonly producers: ReadonlyMap<
    string,
    { readonly producer: types.Producer; readonly source: Source }
  >;
  /** @throws MediaFault */
  origin(): Promise<Place>;
  /** @throws MediaFault */
  edge(): Promise<Place>;
  /** Puts a producer on air. Whatever another source had on air ends first. */
  air(producer: types.Producer, source: Source): void;
  /** Called whenever `onAir` may have changed, and after a new router. */
  onChanged(listener: () => void): () => void;
}

export interface RoomsOptions {
  readonly workers: Pick<Workers, "take">;
  readonly sessions: Pick<Sessions, "notifyShow" | "hasAny">;
  readonly log: Log;
}

export interface Rooms {
  /** Makes the room at need. */
  of(show: string): Room;
  /** The last session of a show may have gone. */
  settle(show: string): void;
  workerDied(worker: MediaWorker): void;
  stop(): void;
}

interface OwnRoom extends Room {
  /** Its router's worker, once open. */
  readonly on: MediaWorker | undefined;
  /** Somebody listens to its changes, and must not be left with a closed room. */
  readonly followed: boolean;
  rebuild(): Promise<void>;
  close(): void;
}

const createRoom = (show: string, { workers, sessions, log }: RoomsOptions): OwnRoom => {
  const producers = new Map<string, { producer: types.Producer; source: Source }>();
  const listeners = new Set<() => void>();
  let opening: Promise<Place> | undefined;
  let place: Place | undefined;
  let noticeTimer: NodeJS.Timeout | undefined;
  let rebuilding = false;
  let closed = false;

  const onAir = (): OnAir => [...producers.values()].at(-1)?.source.air ?? "nobody";
  const tellProducers = (): void => {
    noticeTimer = undefined;
    sessions.notifyShow(show, {
      event: "producersChanged",
      onAir: onAir(),
      producerIds: [...producers.keys()],
    });
  };
  const changed = (): void => {
    if (closed) return;
    // While a router is being replaced, "rebuilt" comes first.
    if (!rebuilding) noticeTimer ??= setTimeout(tellProducers, MEDIA_LIMITS.noticeEveryMs);
    for (const listener of listeners) listener();
  };

  const open = async (): Promise<Place> => {
    const on = await workers.take();
    const router = await called(on.worker.createRouter({ mediaCodecs: ROOM_CODECS }), {
      what: "open room",
      late: (late) => late.close(),
    });
    if (closed) {
      router.close();
      throw new MediaFault("notFound", "the room closed");
    }
    place = { router, on };
    log.info({ show, pid: on.pid }, "media room open");
    return place;
  };
  const origin = (): Promise<Place> => {
    if (place?.router.closed === true) opening = undefined;
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };

  return {
    show,
    producers,
    origin,
    edge: origin,
    get onAir() {
      return onAir();
    },
    get on() {
      return place?.on;
    },
    air(producer, source) {
      const others = new Set(
        [...producers.values()].map((one) => one.source).filter((one) => one !== source),
      );
      for (const other of others) other.takenOver();
      producers.set(producer.id, { producer, source });
      producer.observer.once("close", () => {
        producers.delete(producer.id);
        changed();
      });
      changed();
    },
    onChanged(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get followed() {
      return listeners.size > 0;
    },
    async rebuild() {
      opening = undefined;
      place = undefined;
      rebuilding = true;
      clearTimeout(noticeTimer);
      noticeTimer = undefined;
      try {
        await origin();
      } catch (error) {
        // The next session that asks opens it.
        log.warn({ show, reason: String(error) }, "media room not open again yet");
      }
      rebuilding = false;
      if (closed) return;
      sessions.notifyShow(show, { event: "rebuilt" });
      changed();
    },
    close() {
      closed = true;
      clearTimeout(noticeTimer);
      listeners.clear();
      place?.router.close();
    },
  };
};

export function createRooms(options: RoomsOptions): Rooms {
  const rooms = new Map<string, OwnRoom>();
  const idle = new Map<string, NodeJS.Timeout>();
  const stay = (show: string): void => {
    clearTimeout(idle.get(show));
    idle.delete(show);
  };
  const closeIdle = (show: string): void => {
    idle.delete(show);
    const room = rooms.get(show);
    if (room === undefined || options.sessions.hasAny(show)) return;
    if (room.onAir !== "nobody" || room.followed) return;
    rooms.delete(show);
    room.close();
    options.log.info({ show }, "media room closed");
  };
  return {
    of(show) {
      stay(show);
      const room = rooms.get(show) ?? createRoom(show, options);
      rooms.set(show, room);
      return room;
    },
    settle(show) {
      if (!rooms.has(show) || options.sessions.hasAny(show)) return;
      stay(show);
      idle.set(
        show,
        setTimeout(() => closeIdle(show), MEDIA_LIMITS.roomIdleMs),
      );
    },
    workerDied(worker) {
      for (const room of rooms.values()) if (room.on === worker) void room.rebuild();
    },
    stop() {
      for (const timer of idle.values()) clearTimeout(timer);
      for (const room of rooms.values()) room.close();
      rooms.clear();
    },
  };
}

/**
 * Everybody the media side knows: one session per page or app instance, keyed by show and session id. A session's asks
 * run one after the other. When its socket is gone it waits out a grace period, because the same page may come back
 * through another gateway; `from` is the gateway it was heard of last.
 */
import type { types } from "mediasoup";
import type { MediaNotice } from "../client-sdk/media/notices.ts";
import type { MediaAsk, MediaTell } from "#wire";
import { MediaFault } from "./faults.ts";
import { MEDIA_LIMITS } from "./limits.ts";
import type { Source } from "./rooms.ts";

export interface Session {
  readonly show: string;
  readonly id: string;
  from: string;
  /** At most one transport each way. */
  receiving?: types.WebRtcTransport | undefined;
  sending?: types.WebRtcTransport | undefined;
  readonly consumers: Map<string, types.Consumer>;
  readonly producers: Map<types.MediaKind, types.Producer>;
  /** This session as one on air. */
  readonly source: Source;
  closed: boolean;
}

interface Kept extends Session {
  heardAtMs: number;
  tail: Promise<unknown>;
  waiting: number;
  grace?: NodeJS.Timeout | undefined;
}

export interface Sessions {
  readonly count: number;
  hasAny(show: string): boolean;
  /** The session of an ask, if there is one; notes where it is heard from. */
  find(ask: MediaAsk): Session | undefined;
  /** The same, made at need. @throws MediaFault mediaBusy */
  of(ask: MediaAsk): Session;
  /** Runs after the session's earlier asks. @throws MediaFault mediaBusy */
  inTurn<T>(session: Session, work: () => Promise<T>): Promise<T>;
  /** Its socket is gone. */
  left(ask: MediaAsk): void;
  notify(session: Session, notice: MediaNotice): void;
  notifyShow(show: string, notice: MediaNotice): void;
  /** Closes sessions that carry nothing and have not been heard of for the grace period (their gateway died with them). */
  sweep(): void;
  stop(): void;
}

export interface SessionsOptions {
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly tell: (gateway: string, tell: MediaTell) => void;
  /** A session of this show is gone for good. */
  readonly onClosed: (show: string) => void;
}

/** Ends the transport, and with it all it carries. */
const endSending = (session: Session): void => {
  session.sending?.close();
  session.sending = undefined;
};

export function createSessions({ nowMs, tell, onClosed }: SessionsOptions): Sessions {
  const shows = new Map<string, Map<string, Kept>>();
  let count = 0;

  const notify = (session: Session, notice: MediaNotice): void =>
    tell(session.from, {
      kind: "notify",
      show: session.show,
      session: session.id,
      body: JSON.stringify(notice),
    });

  const make = (ask: MediaAsk): Kept => {
    if (count >= MEDIA_LIMITS.maxSessions)
      throw new MediaFault("mediaBusy", `${MEDIA_LIMITS.maxSessions} sessions`);
    const session: Kept = {
      show: ask.show,
      id: ask.session,
      from: ask.from,
      heardAtMs: nowMs(),
      consumers: new Map(),
      producers: new Map(),
      closed: false,
      tail: Promise.resolve(),
      waiting: 0,
      source: {
        air: "host",
        takenOver: () => {
          const transportId = session.sending?.id;
          endSending(session);
          if (transportId !== undefined)
            notify(session, { event: "transportClosed", transportId, why: "takenOver" });
        },
      },
    };
    const room = shows.get(ask.show) ?? new Map<string, Kept>();
    shows.set(ask.show, room.set(ask.session, session));
    count++;
    return session;
  };
  const close = (session: Kept): void => {
    if (session.closed) return;
    session.closed = true;
    clearTimeout(session.grace);
    session.receiving?.close();
    endSending(session);
    const room = shows.get(session.show);
    room?.delete(session.id);
    if (room?.size === 0) shows.delete(session.show);
    count--;
    onClosed(session.show);
  };
  const all = (): Kept[] => [...shows.values()].flatMap((room) => [...room.values()]);
  const heard = (ask: MediaAsk): Kept | undefined => {
    const session = shows.get(ask.show)?.get(ask.session);
    if (session === undefined) return undefined;
    session.from = ask.from;
    session.heardAtMs = nowMs();
    clearTimeout(session.grace);
    session.grace = undefined;
    return session;
  };

  return {
    get count() {
      return count;
    },
    hasAny: (show) => shows.has(show),
    find: heard,
    of: (ask) => heard(ask) ?? make(ask),
    async inTurn<T>(session: Session, work: () => Promise<T>): Promise<T> {
      const kept = session as Kept;
      if (kept.waiting >= MEDIA_LIMITS.maxWaitingAsks)
        throw new MediaFault("mediaBusy", "too many asks of this session wait");
      kept.waiting++;
      const turn = kept.tail.then(async () => {
        if (kept.closed) throw new MediaFault("notFound", "the session closed");
        return work();
      });
      // The next ask waits for this one's end, however it ends.
      kept.tail = turn.then(
        () => kept.waiting--,
        () => kept.waiting--,
      );
      return turn;
    },
    left(ask) {
      const session = shows.get(ask.show)?.get(ask.session);
      // News from a gateway that the session has already left behind.
      if (session === undefined || session.from !== ask.from) return;
      clearTimeout(session.grace);
      session.grace = setTimeout(() => close(session), MEDIA_LIMITS.graceMs);
    },
    notify,
    notifyShow(show, notice) {
      const gateways = new Set(
        [...(shows.get(show)?.values() ?? [])].map((session) => session.from),
      );
      const body = JSON.stringify(notice);
      for (const gateway of gateways) tell(gateway, { kind: "notify", show, session: "*", body });
    },
    sweep() {
      const heardBefore = nowMs() - MEDIA_LIMITS.graceMs;
      for (const session of all())
        if (
          session.receiving === undefined &&
          session.sending === undefined &&
          session.heardAtMs < heardBefore
        )
          close(session);
    },
    stop() {
      for (const session of all()) close(session);
    },
  };
}

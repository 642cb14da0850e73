/**
 * Carries signals between viewers' sockets and the media process that owns their show, over Redis pub/sub. Remembers nothing
 * of calls but who waits for an answer; sessions live in the media process and survive this one.
 */
import {
  type FailureCode,
  type Frame,
  type MediaAsk,
  mediaAskChannel,
  type MediaLease,
  type MediaTell,
  mediaTellChannel,
} from "#wire";
import type { Redis } from "ioredis";
import { MEDIA_KEY, showKeys } from "../redis/keys.ts";
import { loadScript } from "../redis/lua.ts";
import type { Session } from "./session.ts";

export interface MediaLink {
  /** Passes a signal on; the answer, or `failed`, goes to the session. */
  signal(session: Session, frame: Frame<"signal">): void;
  left(session: Session): void;
  stop(): void;
}

export interface MediaLinkPorts {
  readonly redis: Redis;
  readonly subscriber: Redis;
  readonly node: string;
  readonly redisNowMs: () => number;
}

const ANSWER_WITHIN_MS = 8000;
const LEASES_FRESH_MS = 1000;

interface Asked {
  readonly session: Session;
  readonly id: number;
  readonly timer: ReturnType<typeof setTimeout>;
}

export async function startMediaLink({
  redis,
  subscriber,
  node,
  redisNowMs,
}: MediaLinkPorts): Promise<MediaLink> {
  const asked = new Map<number, Asked>();
  /** Sessions that use video, by show, then by `viewerId/client`. */
  const watching = new Map<string, Map<string, Session>>();
  let lastRef = 0;
  let leases: { readonly atMs: number; readonly living: readonly MediaLease[] } | undefined;
  const claim = loadScript(redis, {
    file: new URL("claim-media.lua", import.meta.url),
    keys: ["media"],
    args: ["node", "dead"],
    read: String,
  });

  const living = async (): Promise<readonly MediaLease[]> => {
    const nowMs = redisNowMs();
    if (leases !== undefined && nowMs - leases.atMs < LEASES_FRESH_MS) return leases.living;
    const all = Object.values(await redis.hgetall(MEDIA_KEY)).map(
      (json) => JSON.parse(json) as MediaLease,
    );
    leases = { atMs: nowMs, living: all.filter((lease) => lease.untilMs > nowMs) };
    return leases.living;
  };
  /** @returns the media process that owns the show's router; undefined when none lives */
  const ownerOf = async (show: string): Promise<string | undefined> => {
    const nodes = await living();
    const { media } = showKeys(show);
    const owner = await redis.get(media);
    if (owner !== null && nodes.some((lease) => lease.node === owner)) return owner;
    const idlest = nodes.toSorted((a, b) => a.sessions - b.sessions)[0];
    return idlest && claim({ media }, { node: idlest.node, dead: owner ?? "" });
  };

  const fail = (ref: number, code: FailureCode): void => {
    const call = asked.get(ref);
    if (call === undefined) return;
    asked.delete(ref);
    clearTimeout(call.timer);
    const retryable = code === "mediaDown" || code === "mediaBusy" || code === "timeout";
    call.session.send("failed", {
      id: call.id,
      code,
      retryable,
      retryAfterMs: retryable ? 500 : 0,
    });
  };

  const pass = async (
    session: Session,
    ref: number,
    signal: Pick<MediaAsk, "name" | "body">,
  ): Promise<void> => {
    try {
      const owner = await ownerOf(session.show);
      if (owner === undefined) return fail(ref, "mediaDown");
      const ask: MediaAsk = {
        from: node,
        ref,
        show: session.show,
        session: sessionId(session),
        role: session.role,
        ...signal,
      };
      const heard = await redis.publish(mediaAskChannel(owner), JSON.stringify(ask));
      if (heard === 0) fail(ref, "mediaDown");
    } catch {
      fail(ref, "storeDown");
    }
  };

  subscriber.on("message", (channel, text: string) => {
    if (channel !== mediaTellChannel(node)) return undefined;
    const tell = JSON.parse(text) as MediaTell;
    if (tell.kind === "fault") return fail(tell.ref, tell.code);
    if (tell.kind === "answer") {
      const call = asked.get(tell.ref);
      asked.delete(tell.ref);
      clearTimeout(call?.timer);
      return call?.session.send("signalAnswered", { id: call.id, body: tell.body });
    }
    const sessions = watching.get(tell.show);
    if (tell.session !== "*")
      return sessions?.get(tell.session)?.send("mediaChanged", { body: tell.body });
    for (const session of sessions?.values() ?? [])
      session.send("mediaChanged", { body: tell.body });
  });
  await subscriber.subscribe(mediaTellChannel(node));

  return {
    signal(session, { id, name, body }) {
      const ref = ++lastRef;
      asked.set(ref, {
        session,
        id,
        timer: setTimeout(() => fail(ref, "timeout"), ANSWER_WITHIN_MS),
      });
      if (!session.signalled) {
        session.signalled = true;
        const sessions = watching.get(session.show) ?? new Map<string, Session>();
        watching.set(session.show, sessions.set(sessionId(session), session));
      }
      void pass(session, ref, { name, body });
    },
    left(session) {
      if (!session.signalled) return;
      const sessions = watching.get(session.show);
      // The same app instance may be back already, on a newer socket.
      if (sessions?.get(sessionId(session)) !== session) return;
      sessions.delete(sessionId(session));
      if (sessions.size === 0) watching.delete(session.show);
      void pass(session, 0, { name: "left", body: "" });
    },
    stop() {
      for (const { timer } of asked.values()) clearTimeout(timer);
      asked.clear();
      subscriber.disconnect();
    },
  };
}

const sessionId = ({ viewerId, client }: Session): string => `${viewerId}/${client}`;

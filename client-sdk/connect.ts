/**
 * `connect`: a live room as one object. Composes the connection, the clock, commands on their way, reactions on their way, and
 * the room's state; holds the only timers of the SDK.
 */
import { type DownFrame, emptyRoom } from "#wire";
import { createBuying } from "./buying.ts";
import { createClock } from "./clock.ts";
import { createCommands } from "./commands.ts";
import { createConnection } from "./connection.ts";
import { createEvents } from "./events.ts";
import { randomId } from "./id.ts";
import { createInbox } from "./inbox.ts";
import type { LinkState } from "./link.ts";
import {
  type ConnectOptions,
  type Live,
  type LiveEvents,
  type LiveState,
  SdkFault,
} from "./live.ts";
import { createReactions } from "./reactions.ts";
import { createSeen } from "./seen.ts";
import { createVideo } from "./video.ts";

const CONNECTIONS = {
  offline: "connecting",
  connecting: "connecting",
  waiting: "waiting",
  live: "live",
  leaving: "live",
  moving: "live",
  ended: "closed",
} as const;

/** A gap is everybody's: not all ask at once. */
const SPREAD_CATCH_UPS_MS = 250;
/** After a move, for answers under way on the old connection. */
const ANSWERS_WITHIN_MS = 400;

/** Clock probes after joining, then one beat per 20–25 s. */
const EARLY_BEATS_MS = [0, 250, 1000, 4000];

/** Monotonic, ms since 1970. */
const localMs = (): number => performance.timeOrigin + performance.now();

/**
 * Joins a show's room. Resolves once its snapshot is in; from then on reconnects by itself until `close()`.
 * @throws SdkFault `closed` when the server refuses for good, `timeout` when the room was not joined in time
 */
export async function connect(options: ConnectOptions): Promise<Live> {
  const client = randomId();
  const clock = createClock(localMs);
  const events = createEvents<LiveEvents>();
  const state: LiveState = {
    ...emptyRoom(),
    viewerId: "",
    role: "viewer",
    connection: "connecting",
    feed: "full",
    receipt: { accepted: 0, shown: 0, sampled: 0, thinned: 0, slow: 0 },
    orders: new Map(),
    unusedCoupons: new Map(),
    mutedUntilMs: 0,
  };
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const first = Promise.withResolvers<void>();
  let greetedAtMs = 0;

  const later = (fn: () => void, delayMs: number): ReturnType<typeof setTimeout> => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      fn();
    }, delayMs);
    timers.add(timer);
    return timer;
  };
  const { onFull } = options;
  const connection = createConnection({
    options: {
      ...options,
      ...(onFull && {
        onFull(wait) {
          clearTimeout(tooLate);
          onFull(wait);
        },
      }),
    },
    client,
    nowMs: localMs,
    later,
    chance: Math.random,
    position() {
      greetedAtMs = localMs();
      return inbox.position;
    },
    onFrame(frame, isRoom) {
      const handler = handlers[frame.kind];
      if (handler !== undefined) handler(frame as never);
      // Whatever else has an id answers the command of that id.
      else if ("id" in frame) commands.answered(frame.id, frame);
      else if (isRoom) inbox.take(frame);
      saySeen();
    },
    onChanged: (now) => changed(now),
  });
  const send = (name: string, body: object): void => connection.send(name as "beat", body as never);
  const commands = createCommands({ send, nowMs: localMs, later });
  events.on("orderChanged", (order) => commands.ordered(order));
  const reactions = createReactions((batch) => send("react", batch));
  const buying = createBuying({ commands, events, state, now: clock.now });
  const video = createVideo(commands, events);

  const inbox = createInbox({
    state,
    emit: (event, what) => events.emit(event, what),
    waitingReactions: () => reactions.waiting,
    askCatchUp: () =>
      later(() => send("catchUp", { offset: state.offset }), Math.random() * SPREAD_CATCH_UPS_MS),
    now: clock.now,
    broken: () => connection.giveUp(),
    soldOut: (event) => commands.soldOut(event, (key) => state.orders.has(key)),
    joined(resumed, missed) {
      const hasMoved = state.connection === "live";
      connection.go({ on: "joined" });
      // At once and in order: a later like or comment must not overtake an earlier one that is on its way through the old node.
      reactions.resend();
      commands.resend(hasMoved ? "signal" : undefined);
      if (hasMoved) later(() => commands.resend(), ANSWERS_WITHIN_MS);
      first.resolve();
      events.emit("connectionChanged", {
        connection: "live",
        resumed: resumed ? "caughtUp" : "snapshot",
        missed,
      });
      for (const ms of EARLY_BEATS_MS) later(beat, ms);
    },
  });
  const beat = (): void =>
    send("beat", { offset: state.offset, tick: inbox.tick, clientAtMs: Math.floor(localMs()) });

  const seen = createSeen({
    nowMs: localMs,
    chance: Math.random,
    tick: () => inbox.tick,
    isLate: () => inbox.isLate,
    say: (tick) => send("seen", { tick }),
  });
  const saySeen = (): void => {
    if (state.connection === "live") seen.look();
  };

  const handlers: {
    readonly [K in DownFrame["kind"]]?: (frame: Extract<DownFrame, { kind: K }>) => void;
  } = {
    welcome(frame) {
      clock.probe(greetedAtMs, localMs(), frame.serverAtMs);
      commands.unride();
      inbox.take(frame);
      seen.begin();
    },
    beaten: ({ clientAtMs, serverAtMs }) => clock.probe(clientAtMs, localMs(), serverAtMs),
    failed: commands.failed,
    reacted: ({ seq }) => reactions.applied(seq),
    mediaChanged: ({ body }) => video.notified(body),
  };
  const changed = (link: LinkState): void => {
    const before = state.connection;
    state.connection = CONNECTIONS[link.at];
    if (link.at === "ended") {
      if (before !== "closed") end(link.code);
    } else if (before === "live" && state.connection !== "live")
      events.emit("connectionChanged", { connection: "waiting" });
  };

  const end = (closeCode: number): void => {
    for (const timer of timers) clearTimeout(timer);
    clearInterval(half);
    commands.abandon();
    first.reject(new SdkFault("closed", false, String(closeCode)));
    events.emit("connectionChanged", { connection: "closed", closeCode });
  };

  let nextBeatMs = localMs() + 20_000;
  const half = setInterval(() => {
    reactions.flush();
    saySeen();
    commands.expire(localMs());
    connection.check();
    if (localMs() < nextBeatMs) return;
    beat();
    nextBeatMs = localMs() + 20_000 + Math.random() * 5000;
  }, 500);

  connection.go({ on: "connect" });
  const tooLate = later(() => {
    first.reject(new SdkFault("timeout", true, "the room was not joined in time"));
    connection.go({ on: "disconnect" });
  }, options.firstWithinMs ?? 15_000);
  await first.promise;
  clearTimeout(tooLate);

  const react = (likes: number, shares: number): void => {
    reactions.add(likes, shares);
    events.emit("liked", inbox.totals());
  };
  let commentSeq = 0;
  let before: Promise<unknown> = Promise.resolve();
  return {
    state,
    now: clock.now,
    on: events.on,
    async comment(text) {
      // One after the other: an earlier one that is sent again must not come after a later one, it would count as a repeat.
      const asked = before.then(() => commands.ask("comment", { seq: ++commentSeq, text }));
      before = asked.catch(() => undefined);
      const { result, retryAfterMs } = await asked;
      return { result, retryAfterMs };
    },
    like: (n = 1) => react(n, 0),
    share: () => react(0, 1),
    ...buying,
    video,
    close() {
      video.close();
      connection.go({ on: "disconnect" });
    },
  };
}

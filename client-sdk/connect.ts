/**
 * `connect`: a live room as one object. Composes the link (when to have a socket), the clock, commands on their way,
 * reactions on their way, and the room's state; holds the only timers of the SDK.
 */
import { type DownFrame, emptyRoom } from "#wire";
import { createBuying } from "./buying.ts";
import { createClock } from "./clock.ts";
import { createCommands } from "./commands.ts";
import { createEvents } from "./events.ts";
import { randomId } from "./id.ts";
import { createInbox } from "./inbox.ts";
import { type LinkEvent, type LinkState, step } from "./link.ts";
import {
  type ConnectOptions,
  type Live,
  type LiveEvents,
  type LiveState,
  SdkFault,
} from "./live.ts";
import { createReactions } from "./reactions.ts";
import { type FrameSocket, openSocket } from "./socket.ts";
import { createVideo } from "./video.ts";

const CONNECTIONS = {
  offline: "connecting",
  connecting: "connecting",
  waiting: "waiting",
  live: "live",
  ended: "closed",
} as const;

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
    orders: new Map(),
    unusedCoupons: new Map(),
    mutedUntilMs: 0,
  };
  const urls = typeof options.url === "string" ? [options.url] : options.url;
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const first = Promise.withResolvers<void>();
  let link: LinkState = { at: "offline" };
  let socket: FrameSocket | undefined;
  let opened = 0;
  let greetedAtMs = 0;
  let delay: ReturnType<typeof setTimeout> | undefined;

  const later = (fn: () => void, delayMs: number): ReturnType<typeof setTimeout> => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      fn();
    }, delayMs);
    timers.add(timer);
    return timer;
  };
  const send = (name: string, body: object): void => {
    if (link.at === "live") socket?.send(name as "beat", body as never);
  };
  const commands = createCommands({ send, nowMs: localMs, later });
  const reactions = createReactions((batch) => send("react", batch));
  const buying = createBuying(commands, events, state);
  const video = createVideo(commands, events);

  const inbox = createInbox({
    state,
    emit: (event, what) => events.emit(event, what),
    waitingReactions: () => reactions.waiting,
    askCatchUp: (offset) => send("catchUp", { offset }),
    joined(resumed, missed) {
      go({ on: "joined" });
      commands.resend();
      reactions.resend();
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

  const answered = (frame: { id: number }): void => commands.answered(frame.id, frame);
  const handlers: {
    readonly [K in DownFrame["kind"]]?: (frame: Extract<DownFrame, { kind: K }>) => void;
  } = {
    welcome(frame) {
      clock.probe(greetedAtMs, localMs(), frame.serverAtMs);
      inbox.take(frame);
    },
    beaten: ({ clientAtMs, serverAtMs }) => clock.probe(clientAtMs, localMs(), serverAtMs),
    failed: commands.failed,
    reacted: ({ seq }) => reactions.applied(seq),
    goaway: ({ delayMs }) => go({ on: "goaway", jitter: Math.random(), delayMs }),
    commentAnswered: answered,
    holdAnswered: answered,
    payAnswered: answered,
    waitAnswered: answered,
    claimAnswered: answered,
    cancelAnswered: answered,
    signalAnswered: answered,
    mediaChanged: ({ body }) => video.notified(body),
  };
  const onFrame = (frame: DownFrame): void => {
    const handler = handlers[frame.kind];
    if (handler === undefined) inbox.take(frame);
    else handler(frame as never);
  };

  const open = async (): Promise<void> => {
    const mine = ++opened;
    const lost = (code: number, delayMs: number): void => {
      if (mine === opened) go({ on: "closed", code, jitter: Math.random(), delayMs });
    };
    try {
      const token = typeof options.token === "string" ? options.token : await options.token();
      if (mine !== opened || link.at !== "connecting") return;
      const url = urls[(mine - 1) % urls.length] as string;
      const opening = openSocket({
        WebSocket: options.WebSocket ?? WebSocket,
        url,
        json: options.protocol === "json",
        onOpened: () => {
          const { epoch, offset } = inbox.position;
          greetedAtMs = localMs();
          opening.send("hello", { token, show: options.show, client, epoch, offset });
        },
        onFrame: (frame) => {
          if (mine === opened) onFrame(frame);
        },
        onClosed: lost,
      });
      socket = opening;
    } catch {
      // No token (the control API is away) is like no connection: come back later.
      lost(1006, 0);
    }
  };

  const close = (): void => {
    opened++;
    socket?.drop();
    socket = undefined;
  };

  const go = (event: LinkEvent): void => {
    const before = link;
    const [next, ...effects] = step(link, event);
    link = next;
    for (const effect of effects) {
      if (effect === "open") void open();
      else if (effect === "close") close();
      else if (effect === "stopDelay") clearTimeout(delay);
      else if (link.at === "waiting") delay = later(() => go({ on: "delayOver" }), link.delayMs);
    }
    state.connection = CONNECTIONS[link.at];
    if (link.at === "ended" && before.at !== "ended") end(link.code);
    else if (before.at === "live" && link.at === "waiting")
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
    commands.expire(localMs());
    if (localMs() < nextBeatMs) return;
    beat();
    nextBeatMs = localMs() + 20_000 + Math.random() * 5000;
  }, 500);

  go({ on: "connect" });
  const tooLate = later(() => {
    first.reject(new SdkFault("timeout", true, "the room was not joined in time"));
    go({ on: "disconnect" });
  }, options.firstWithinMs ?? 15_000);
  await first.promise;
  clearTimeout(tooLate);

  const react = (likes: number, shares: number): void => {
    reactions.add(likes, shares);
    events.emit("liked", inbox.totals());
  };
  let commentSeq = 0;
  return {
    state,
    now: clock.now,
    on: events.on,
    async comment(text) {
      const { result, retryAfterMs } = await commands.ask("comment", { seq: ++commentSeq, text });
      return { result, retryAfterMs };
    },
    like: (n = 1) => react(n, 0),
    share: () => react(0, 1),
    ...buying,
    video,
    close() {
      video.close();
      go({ on: "disconnect" });
    },
  };
}

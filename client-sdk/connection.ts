/**
 * The way to the room: runs what the link asks for. Opens sockets, says hello with the newest ticket or a token, and on a move keeps
 * the old socket until the new one has joined; from the new one's `welcome` on, the room is heard through it alone. A socket that
 * has been silent for too long is given up, whatever the network says of it.
 */
import { type Body, type DownFrame, type NamesGoing } from "#wire";
import { FULL, type LinkEffect, type LinkEvent, type LinkState, step } from "./link.ts";
import type { ConnectOptions } from "./live.ts";
import { type FrameSocket, openSocket } from "./socket.ts";

export interface ConnectionPorts {
  readonly options: ConnectOptions;
  readonly client: string;
  readonly nowMs: () => number;
  readonly later: (fn: () => void, delayMs: number) => ReturnType<typeof setTimeout>;
  /** Uniform in [0, 1). */
  readonly chance: () => number;
  /** Where to resume; epoch "": nowhere. */
  readonly position: () => { readonly epoch: string; readonly offset: number };
  /** @param isRoom of the socket through which the room is heard; answers to commands may come through any */
  readonly onFrame: (frame: DownFrame, isRoom: boolean) => void;
  readonly onChanged: (now: LinkState) => void;
}

export interface Connection {
  readonly go: (event: LinkEvent) => void;
  /** Sends if the room is joined. */
  send<N extends NamesGoing<"up">>(name: N, body: Body<N>): void;
  /** The newest socket has lost frames: comes back on another. */
  giveUp(): void;
  /** Gives up what is silent. Called about twice a second. */
  check(): void;
}

interface Line {
  socket: FrameSocket | undefined;
  heardAtMs: number;
}

/** Beats are answered, so a live line hears something every 25 s. */
const MAX_SILENCE_MS = 35_000;
/** Twice this is within the time for a first connection: there is time left for the other way. */
const MAX_OPENING_MS = 6000;
/** For answers under way on the line that was left. */
const LINGER_MS = 500;
const BAD_TICKET = 4202;
/** Failed openings in a row after which the other way is tried, for as many. */
const TRIES = 2;
/** The same where WebSockets have worked: more likely the server is away. */
const PATIENT_TRIES = 6;

export function createConnection(ports: ConnectionPorts): Connection {
  const { options, nowMs, later, chance, onFrame } = ports;
  const urls = typeof options.url === "string" ? [options.url] : options.url;
  let link: LinkState = { at: "offline" };
  let ticket = "";
  let opened = 0;
  let failed = 0;
  let tries = TRIES;
  const isStream = (): boolean =>
    options.transport === "sse" ||
    (options.transport !== "websocket" &&
      failed >= tries &&
      (failed - tries) % (2 * TRIES) < TRIES);
  let delay: ReturnType<typeof setTimeout> | undefined;
  /** Commands go here. */
  let current: Line | undefined;
  /** Not joined yet. */
  let next: Line | undefined;
  /** The room is heard here. */
  let source: Line | undefined;
  /** Left a moment ago. */
  let left: Line | undefined;

  const gone = (line: Line, code: number, delayMs: number, waiting = 0): void => {
    if (code === BAD_TICKET) ticket = "";
    const isOld = line === current;
    if (isOld) current = undefined;
    else if (line === next) {
      next = undefined;
      source = current;
      // A code of ours is an answer: this way leads to the server.
      if (code < 4000) failed++;
    } else return;
    if (isOld && link.at === "moving") go({ on: "lost" });
    else go({ on: "closed", code, jitter: chance(), delayMs });
    if (code === FULL && "delayMs" in link) options.onFull?.({ delayMs: link.delayMs, waiting });
  };
  const heard = (line: Line, frame: DownFrame): void => {
    line.heardAtMs = nowMs();
    if (frame.kind === "welcome") source = line;
    if (frame.kind === "ticket") ticket = frame.ticket;
    else if (frame.kind !== "goaway") onFrame(frame, line === source);
    else if (line === current) go({ on: "goaway", jitter: chance(), delayMs: frame.delayMs });
  };
  const open = async (): Promise<void> => {
    const line: Line = { socket: undefined, heardAtMs: nowMs() };
    next = line;
    try {
      const token =
        ticket || (typeof options.token === "string" ? options.token : await options.token());
      const openLine = isStream() ? (await import("./sse.ts")).openStream : openSocket;
      if (next !== line) return;
      line.socket = openLine({
        WebSocket: options.WebSocket ?? WebSocket,
        url: urls[opened++ % urls.length] as string,
        json: options.protocol === "json",
        onOpened: () => {
          line.heardAtMs = nowMs();
          const { show } = options;
          line.socket?.send("hello", { token, show, client: ports.client, ...ports.position() });
        },
        onFrame: (frame) => heard(line, frame),
        onClosed: (code, delayMs, waiting) => gone(line, code, delayMs, waiting),
      });
    } catch {
      // No token (the control API is away) is like no connection: come back later.
      gone(line, 1006, 0);
    }
  };
  const joined = (): void => {
    if (!isStream()) [failed, tries] = [0, PATIENT_TRIES];
    left?.socket?.drop();
    const old = (left = current);
    current = next;
    next = undefined;
    if (old !== undefined) later(() => old.socket?.drop(), LINGER_MS);
  };
  const run = (effect: LinkEffect, now: LinkState): void => {
    if (effect === "open") void open();
    else if (effect === "stopDelay") clearTimeout(delay);
    else if (effect === "close") {
      for (const line of [left, current, next]) line?.socket?.drop();
      current = next = undefined;
    } else if (effect === "startDelay" && "delayMs" in now)
      delay = later(() => go({ on: "delayOver" }), now.delayMs);
  };
  const go = (event: LinkEvent): void => {
    const [now, ...effects] = step(link, event);
    link = now;
    if (event.on === "joined" && next !== undefined) joined();
    for (const effect of effects) run(effect, now);
    ports.onChanged(now);
  };
  const checkLine = (line: Line | undefined, maxSilenceMs: number): void => {
    if (line === undefined || nowMs() - line.heardAtMs < maxSilenceMs) return;
    line.socket?.drop();
    gone(line, 1006, 0);
  };
  return {
    go,
    send: (name, body) => current?.socket?.send(name, body),
    giveUp: () => checkLine(next ?? current, 0),
    check() {
      checkLine(next, MAX_OPENING_MS);
      checkLine(current, MAX_SILENCE_MS);
    },
  };
}

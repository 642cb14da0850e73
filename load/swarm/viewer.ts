/**
 * One viewer of a swarm: gets in, keeps its place, and comes back when its connection ends, as the SDK would (same wire, same
 * link rules), at a tenth of the memory. Writes down what it saw in its `history`.
 */
import {
  type Body,
  CLOSES,
  comebackAfter,
  type DownFrame,
  encodeUp,
  FRAMES,
  type NamesGoing,
  SUBPROTOCOLS,
} from "#wire";
import { backoffMs } from "../../client-sdk/link.ts";
import { Asks } from "./asks.ts";
import { opcodeAt, type Shared, tickAt } from "./decoding.ts";
import { type Dialect, IN } from "./dialects.ts";
import { emptyHistory, type ViewerHistory } from "./history.ts";
import { Inbox, type InboxPorts } from "./inbox.ts";
import type { Tally } from "./tally.ts";
import { WireSocket } from "./wire-socket.ts";

/** What all viewers of a process have in common. */
export interface ViewerPorts {
  /** Tried in turn, each viewer beginning at its own. */
  readonly urls: readonly URL[];
  readonly show: string;
  /** For servers that do not speak our wire; undefined: ours. */
  readonly dialect: Dialect | undefined;
  /** true: once joined, messages are counted and not looked at. */
  readonly countsOnly: boolean;
  readonly comesBack: boolean;
  readonly tally: Tally;
  readonly decode: (bytes: Buffer, start: number, end: number) => Shared;
  /** ms since 1970, monotonic. */
  readonly nowMs: () => number;
  readonly serverNowMs: () => number;
  readonly probed: (clientAtMs: number, serverAtMs: number) => void;
  /** Got in for the first time, or never will. */
  readonly arrived: () => void;
  readonly holdAnswered: () => void;
}

export class Viewer {
  readonly history: ViewerHistory;
  readonly asks: Asks;
  readonly #ports: ViewerPorts;
  readonly #inbox: Inbox;
  readonly #inboxPorts: InboxPorts;
  /** The tick that it last said it saw. */
  #saidTick = 0;
  #hasSaid = false;
  readonly #token: string;
  /** The newest one, to come back with. */
  #ticket = "";
  readonly #localAddress: string | undefined;
  #socket: WireSocket | undefined;
  #stage: "outside" | "joining" | "joined" | "over" = "outside";
  #startedAtMs = 0;
  /** Failed tries since it was last in the room. */
  #attempt = 0;
  #opened = 0;
  #epoch = "";

  constructor(
    place: {
      readonly index: number;
      readonly token: string;
      readonly localAddress?: string | undefined;
    },
    ports: ViewerPorts,
  ) {
    this.history = emptyHistory(place.index);
    this.#token = place.token;
    this.#localAddress = place.localAddress;
    this.#ports = ports;
    this.#inbox = new Inbox(this.history);
    const { tally, nowMs, serverNowMs, holdAnswered } = ports;
    this.#inboxPorts = {
      askCatchUp: (offset) => this.#send("catchUp", { offset }),
      fannedOut: (sentAtMs) => tally.fanoutUs.record((nowMs() - sentAtMs) * 1000),
      serverNowMs,
    };
    this.asks = new Asks({
      history: this.history,
      tally,
      nowMs,
      holdAnswered,
      send: (name, body) => this.#send(name, body),
    });
  }

  get isJoined(): boolean {
    return this.#stage === "joined";
  }

  connect(): void {
    const { urls, dialect, nowMs } = this.#ports;
    this.#stage = "joining";
    this.#startedAtMs = nowMs();
    this.#socket = new WireSocket({
      url: urls[(this.history.viewer + this.#opened++) % urls.length] as URL,
      protocol: dialect === undefined ? SUBPROTOCOLS[0] : "",
      localAddress: this.#localAddress,
      onOpened: () => (dialect === undefined ? this.#greet() : this.#enter(dialect)),
      onMessage: (bytes, start, end) => this.#heard(bytes, start, end),
      onClosed: (code, reason) => this.#closed(code, reason),
    });
  }

  beat(): void {
    this.#send("beat", {
      // Who only counts does not look at offsets: it would be sent all of them again.
      offset: this.#ports.countsOnly ? Number.MAX_SAFE_INTEGER : this.history.offset,
      tick: this.#inbox.tick,
      clientAtMs: Math.floor(this.#ports.nowMs()),
    });
  }

  /** Says how far it has read, if that is further than before. Called as often as the SDK does, and soon after it came in. */
  saySeen(isFirst = false): void {
    const { tick } = this.#inbox;
    if (tick === this.#saidTick || (isFirst && this.#hasSaid)) return;
    this.#saidTick = tick;
    this.#hasSaid = true;
    this.#send("seen", { tick });
  }

  /** Stops reading: the phone is asleep. */
  stall(): void {
    this.#socket?.stall();
  }

  wake(): void {
    this.#socket?.resume();
  }

  close(): void {
    this.#stage = "over";
    this.#socket?.drop();
  }

  #send<N extends NamesGoing<"up">>(name: N, body: Body<N>): void {
    if (this.#stage === "joined") this.#socket?.send(encodeUp(name, body));
  }

  #greet(): void {
    const { viewer, offset } = this.history;
    const position = { epoch: this.#epoch, offset: this.#epoch === "" ? 0 : offset };
    const hello = {
      token: this.#ticket || this.#token,
      show: this.#ports.show,
      client: `swarm-${viewer}`,
      ...position,
    };
    this.#socket?.send(encodeUp("hello", hello));
  }

  #heard(bytes: Buffer, start: number, end: number): void {
    const { tally, countsOnly, dialect, decode } = this.#ports;
    tally.bytes += end - start;
    if (dialect !== undefined) return this.#heardBare(dialect, bytes, start, end);
    tally.frames++;
    const opcode = opcodeAt(bytes, start);
    tally.byOpcode[opcode] = (tally.byOpcode[opcode] as number) + 1;
    if (opcode === tally.watched) tally.arrivedAtMs.push(this.#ports.nowMs());
    if (countsOnly && this.#stage === "joined") {
      if (opcode === FRAMES.comments.opcode) this.#inbox.tick = tickAt(bytes, start);
      return;
    }
    const shared = decode(bytes, start, end);
    if (this.#direct(shared.frame) || this.asks.take(shared.frame)) return;
    this.asks.heard(shared.frame);
    this.#inbox.take(shared, this.#inboxPorts);
  }

  #enter({ greeting, isInAtOnce }: Dialect): void {
    if (greeting !== "") this.#socket?.send(greeting);
    if (isInAtOnce) this.#joined();
  }

  // oxlint-disable-next-line max-params -- one call per delivery: no object for it
  #heardBare(dialect: Dialect, bytes: Buffer, start: number, end: number): void {
    const events = dialect.hear(bytes, start, end, this.#say);
    if (events !== IN) this.#ports.tally.frames += events;
    else if (this.#stage === "joining") this.#joined();
  }

  /** Frames about the connection itself. @returns false for any other */
  #direct(frame: DownFrame): boolean {
    if (frame.kind === "welcome") {
      this.#epoch = frame.epoch;
      this.history.viewerId = frame.viewerId;
      this.#inbox.welcomed(frame);
      this.#saidTick = frame.tick;
      this.#hasSaid = false;
      this.asks.welcomed();
    } else if (frame.kind === "joined") {
      this.#inbox.completed(frame.offset);
      if (this.#stage === "joining") this.#joined();
    } else if (frame.kind === "beaten") this.#ports.probed(frame.clientAtMs, frame.serverAtMs);
    else if (frame.kind === "goaway") this.#moveOn(frame.delayMs);
    else if (frame.kind === "ticket") this.#ticket = frame.ticket;
    else return false;
    return true;
  }

  readonly #say = (text: string): void => this.#socket?.send(text);

  #joined(): void {
    const { tally, nowMs, arrived } = this.#ports;
    this.#stage = "joined";
    this.#attempt = 0;
    tally.joinUs.record((nowMs() - this.#startedAtMs) * 1000);
    if (this.history.joins++ === 0) arrived();
    this.asks.repeat();
  }

  #moveOn(withinMs: number): void {
    if (!this.#ports.comesBack) return;
    const move = (): void => {
      if (this.#stage !== "joined") return;
      this.#socket?.drop();
      this.connect();
    };
    setTimeout(move, Math.random() * withinMs).unref();
  }

  #closed(code: number, reason: string): void {
    const { history } = this;
    const { comesBack, arrived } = this.#ports;
    history.closes.push({ code, reason });
    if (code === CLOSES.badTicket.code) this.#ticket = "";
    const comeback = comesBack ? comebackAfter(code) : "never";
    if (comeback === "never") {
      this.#stage = "over";
      if (history.joins === 0) arrived();
      return;
    }
    this.#stage = "outside";
    const askedMs = comeback === "later" ? Number.parseInt(reason, 10) || 0 : 0;
    const again = (): void => {
      if (this.#stage === "outside") this.connect();
    };
    setTimeout(again, askedMs + backoffMs(this.#attempt++, Math.random())).unref();
  }
}

/**
 * One connection, from its first byte to its end: greeting (hello within 5 s) → joining (ticket or token, room) → joined. Every message
 * passes here: rate, subprotocol, decoding, order of greeting; what is lawful goes to the commands. Hostile bytes end in a
 * close code, never in an exception.
 */
import {
  type Body,
  CLOSES,
  type CloseWord,
  decodeUp,
  decodeUpText,
  LIMITS,
  type NamesGoing,
  type Role,
  type UpFrame,
} from "#wire";
import { encodeDown, encodeDownText, textOf } from "#wire/server";
import type { Verified } from "../tokens.ts";
import type { Member, Room } from "../room/room.ts";
import type { Feed } from "../room/shards.ts";
import type { Topic } from "../room/turns.ts";
import type { Bucket } from "./buckets.ts";
import type { Greetings } from "./greetings.ts";
import { networkOf } from "./network.ts";
import type { Conversation, Socket } from "./socket.ts";
import type { Tally } from "./windows.ts";
import { isTicket, type Tickets, TICKET_LIFE_MS } from "./tickets.ts";

/** What a session needs of its gateway; one object for all of them. */
export interface SessionPorts {
  readonly verify: (token: string) => Promise<Verified | undefined>;
  readonly tickets: Tickets;
  /** The room if it is open here. */
  readonly roomAt: (show: string) => Room | undefined;
  /** @returns undefined when there is no such show @throws when the store did not answer */
  readonly openRoom: (show: string) => Promise<Room | undefined>;
  /** @returns 0: may join now; else the ms after which to come back */
  readonly admit: (resuming: boolean) => number;
  /** About how many wait to be let in. */
  readonly waiting: () => number;
  readonly command: (session: Session, frame: Exclude<UpFrame, { kind: "hello" }>) => void;
  readonly ended: (session: Session) => void;
  readonly greetings: Greetings<Session>;
  /** Counts a frame in, and a close by its word. */
  readonly counts: {
    framesIn: number;
    framesOut: number;
    readonly closes: Partial<Record<CloseWord, number>>;
  };
  readonly nowMs: () => number;
}

type Who = Pick<Verified, "viewerId" | "role" | "name" | "sinceMs">;
type Position = Pick<Body<"hello">, "epoch" | "offset">;
type Stage = "greeting" | "joining" | "joined" | "closed";

/** Milliseconds that "come back later" asks for. */
const LATER_MS = 2000;

/** A bucket of frames as the one moment at which it will be full again (GCRA): an integer, and no object. */
const FRAME_MS = 1000 / LIMITS.framesPerSecond;
const BURST_MS = LIMITS.frameBurst * FRAME_MS;

/** The same bytes go to many: their text is made once, and lives as long as they do. */
const texts = new WeakMap<Uint8Array, string>();
const sharedText = (bytes: Uint8Array): string => {
  const known = texts.get(bytes) ?? textOf(bytes);
  texts.set(bytes, known);
  return known;
};

export class Session implements Member, Conversation {
  readonly #socket: Socket;
  readonly #ports: SessionPorts;
  #stage: Stage = "greeting";
  #who = "";
  #device = "";
  #network: string | undefined;
  #bucketFullAtMs = 0;
  #ticketAtMs = 0;
  room: Room | undefined;
  show = "";
  viewerId = "";
  client = "";
  name = "";
  role: Role = "viewer";
  /** When this viewer's first token for the show was made, ms. */
  sinceMs = 0;
  /** Names the token or ticket it came with, for rates. */
  tokenNo = 0;
  /** Uses the media plane: must be told of its news, and when it leaves. */
  signalled = false;
  // Kept by the room: see room/members.ts, shards.ts and pacing.ts.
  next: Member | undefined;
  topic: Topic | undefined;
  feed: Feed = "full";
  seenTick = 0;
  markTick = 0;
  changedAtMs = 0;
  downs = 0;
  echoes = false;
  lateEchoes = 0;
  // Kept by the rates and the velocity of its buying.
  viewerHolds: Bucket | undefined;
  tokenHolds: Bucket | undefined;
  refusals: Tally | undefined;

  constructor(socket: Socket, ports: SessionPorts) {
    this.#socket = socket;
    this.#ports = ports;
    ports.greetings.expect(this);
  }

  /** It had its time to say hello. */
  late(): void {
    this.close("helloLate", LATER_MS);
  }

  get json(): boolean {
    return this.#socket.json;
  }

  get inflates(): boolean {
    return this.#socket.inflates === true;
  }

  get waitingBytes(): number {
    return this.#socket.waitingBytes;
  }

  /** Names the viewer, and the token, among those of this node: made once, since a map hashes a string only once. */
  get who(): string {
    return (this.#who ||= `${this.show}|${this.viewerId}`);
  }

  get device(): string {
    return (this.#device ||= `${this.who}|${this.tokenNo}`);
  }

  get address(): string {
    return this.#socket.address;
  }

  /** What limits its address; "": nothing. */
  get network(): string {
    return (this.#network ??= networkOf(this.#socket.address) ?? "");
  }

  get stage(): Stage {
    return this.#stage;
  }

  heard(message: Uint8Array, isText: boolean): void {
    if (this.#stage === "closed") return;
    this.#ports.counts.framesIn++;
    if (!this.#inRate()) return this.close("tooFast", LATER_MS);
    if (isText !== this.#socket.json) return this.close("notBinary");
    const frame = isText ? decodeUpText(Buffer.from(message).toString()) : decodeUp(message);
    if (frame.kind === "malformed") return this.close(frame.close);
    if (frame.kind === "hello") {
      if (this.#stage !== "greeting") return this.close("greetedTwice");
      this.#greeted(frame);
    } else if (this.#stage === "joined") this.#ports.command(this, frame);
    // Between hello and joined nothing else is lawful: clients wait for `joined`.
    else this.close("notGreeted");
  }

  /** With a ticket everything is at hand, and the whole way in is one turn of the loop: that is what a storm of resumes needs. */
  #greeted(hello: Body<"hello">): void {
    this.#stage = "joining";
    this.#ports.greetings.settle(this);
    const { token, show, client } = hello;
    this.show = show;
    this.client = client;
    this.tokenNo = numberOf(token);
    if (!isTicket(token)) return void this.#bringToken(hello);
    const { tickets, admit, roomAt } = this.#ports;
    const resume = tickets.verify(token);
    if (resume?.show !== show) return this.close("badTicket");
    const waitMs = admit(true);
    if (waitMs > 0) return this.close("overloaded", waitMs);
    const from = hello.epoch === "" ? resume : hello;
    const room = roomAt(show);
    if (room === undefined) void this.#openRoom(resume, from);
    else this.#enter(room, resume, from);
  }

  async #bringToken(hello: Body<"hello">): Promise<void> {
    const waitMs = this.#ports.admit(false);
    if (waitMs > 0) return this.close("overloaded", waitMs);
    const identity = await this.#ports.verify(hello.token);
    if (identity === undefined) return this.close("badToken");
    if (identity.show !== this.show && identity.show !== "*") return this.close("wrongShow");
    await this.#openRoom(identity, hello);
  }

  async #openRoom(identity: Who, from: Position): Promise<void> {
    let room: Room | undefined;
    try {
      room = await this.#ports.openRoom(this.show);
    } catch {
      return this.close("storeDown", LATER_MS);
    }
    if (room === undefined) return this.close("noShow");
    const found = room;
    // The socket may have gone while we asked.
    if (this.stage !== "closed") this.#socket.cork(() => this.#enter(found, identity, from));
  }

  #enter(room: Room, identity: Who, { epoch, offset }: Position): void {
    if (room.isRemoved(identity.viewerId)) return this.close("removed");
    // The room's own string: one for all of its members.
    this.show = room.show;
    this.viewerId = identity.viewerId;
    this.name = identity.name;
    this.role = identity.role;
    this.sinceMs = identity.sinceMs;
    this.room = room;
    this.#stage = "joined";
    room.join(this, { epoch, offset });
    this.#handTicket(room);
  }

  #handTicket({ mirror: { epoch, state } }: Room): void {
    const { show, viewerId, role, name, sinceMs } = this;
    this.#ticketAtMs = this.#ports.nowMs();
    const resume = { show, viewerId, role, name, sinceMs, epoch, offset: state.offset };
    this.send("ticket", { ticket: this.#ports.tickets.sign(resume) });
  }

  /** Hands out another ticket when the last one is no longer fresh. Called at every beat. */
  renewTicket(): void {
    if (this.room !== undefined && this.#ports.nowMs() - this.#ticketAtMs > TICKET_LIFE_MS / 6)
      this.#handTicket(this.room);
  }

  #inRate(): boolean {
    const nowMs = Math.floor(this.#ports.nowMs());
    this.#bucketFullAtMs = Math.max(this.#bucketFullAtMs, nowMs) + FRAME_MS;
    return this.#bucketFullAtMs - nowMs <= BURST_MS;
  }

  send<N extends NamesGoing<"down">>(name: N, body: Body<N>): void {
    this.#ports.counts.framesOut++;
    this.#socket.send(this.#socket.json ? encodeDownText(name, body) : encodeDown(name, body));
  }

  sendFrame(bytes: Uint8Array): void {
    this.#ports.counts.framesOut++;
    this.#socket.send(this.#socket.json ? sharedText(bytes) : bytes);
  }

  subscribe(topic: string): void {
    this.#socket.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    this.#socket.unsubscribe(topic);
  }

  removed(): void {
    this.close("removed");
  }

  lose(): void {
    this.close("storeDown", LATER_MS);
  }

  lagged(): void {
    this.close("tooSlow");
  }

  /** Ends the connection from our side. @param delayMs for "come back later" codes */
  close(word: CloseWord, delayMs = 0): void {
    if (this.#stage === "closed") return;
    const { closes } = this.#ports.counts;
    closes[word] = (closes[word] ?? 0) + 1;
    const later = word === "overloaded" ? `${delayMs} ${this.#ports.waiting()}` : String(delayMs);
    this.#socket.end(CLOSES[word].code, delayMs > 0 ? later : word);
    this.closed();
  }

  /** The socket is gone, whoever ended it. */
  closed(): void {
    if (this.#stage === "closed") return;
    this.#stage = "closed";
    this.#ports.greetings.settle(this);
    this.room?.leave(this);
    this.#ports.ended(this);
  }
}

/** The end of a signature as a number of 48 bits: no string of the token is kept for it. */
function numberOf(token: string): number {
  let number = 0;
  for (let i = Math.max(0, token.length - 8); i < token.length; i++)
    number = number * 64 + (token.charCodeAt(i) & 63);
  return number;
}

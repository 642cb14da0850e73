/**
 * The network between simulated clients and nodes. A connection keeps the order of its messages, as TCP does, and connections do
 * not wait for each other. It can be cut at any message (what is on its way is lost; each side is told later, or much later), go
 * half-open (nothing passes, nobody is told), and be slow (the gateway throws messages away, as its library does).
 */
import type { Conversation, Socket } from "../../server/gateway/socket.ts";
import { LIMITS } from "#wire";
import type { Chance } from "../helpers/chance.ts";
import type { Owner, Virtual } from "./virtual.ts";

/** A process that can be connected to. */
export interface Host {
  readonly owner: Owner;
  readonly isListening: boolean;
  readonly accept: (socket: Socket) => Conversation;
}

export interface Line {
  readonly client: Owner;
  readonly host: Host;
  cut(): void;
  freeze(): void;
  /** For so long most of what the gateway sends is thrown away. */
  slow(forMs: number): void;
  /** Whether the next event of lane R is thrown away, and nobody told. */
  loseEvent(isLosing: boolean): void;
}

export interface Network {
  /** A WebSocket class for one client. */
  socketFor(client: Owner, heard: (data: unknown) => void): typeof WebSocket;
  readonly lines: ReadonlySet<Line>;
  /** To every connection of this host that has subscribed. */
  publish(owner: Owner, topic: string, frame: Uint8Array | string): void;
  /** Addresses by host name; a restarted node is another host under the same name. */
  readonly hosts: Map<string, Host>;
  /** A host died: its clients are told by its kernel, or, where the whole machine is gone, by nobody. */
  died(owner: Owner, isSilent: boolean): void;
}

export function createNetwork(virtual: Virtual, chance: Chance): Network {
  const lines = new Set<Connection>();
  const hosts = new Map<string, Host>();
  const latencyMs = (): number => 0.2 + chance() * (chance.hits(0.02) ? 400 : 12);

  class Connection implements Line {
    readonly client: Owner;
    readonly host: Host;
    readonly socket: SimSocket;
    readonly topics = new Set<string>();
    conversation: Conversation | undefined;
    isCut = false;
    isFrozen = false;
    slowUntilMs = 0;
    isTold = true;
    isLosing = false;
    #upAtMs = 0;
    #downAtMs = 0;
    #lagging = false;

    constructor(socket: SimSocket, client: Owner, host: Host) {
      this.socket = socket;
      this.client = client;
      this.host = host;
      lines.add(this);
    }
    /** In order with all that went up before. */
    up(what: string, run: () => void): void {
      if (this.isCut || this.isFrozen) return;
      this.#upAtMs = Math.max(this.#upAtMs, virtual.nowMs + latencyMs());
      const delayMs = this.#upAtMs - virtual.nowMs;
      virtual.after(delayMs, this.host.owner, what, () => {
        if (!this.isCut && !this.isFrozen) run();
      });
    }
    down(what: string, run: () => void): void {
      if (this.isCut || this.isFrozen) return;
      this.#downAtMs = Math.max(this.#downAtMs, virtual.nowMs + latencyMs());
      const delayMs = this.#downAtMs - virtual.nowMs;
      virtual.after(delayMs, this.client, what, () => {
        if (!this.isCut && !this.isFrozen) run();
      });
    }
    /** Sends it down, or throws it away as the gateway's library does with what a slow reader would pile up. */
    deliver(frame: Uint8Array | string, isPublished: boolean): void {
      if (this.isLosing && isPublished && EVENTS.test(labelOf(frame))) {
        this.isLosing = false;
        return;
      }
      const isSlow = virtual.nowMs < this.slowUntilMs && chance.hits(0.7);
      // Of published messages the library does not tell of every one that it has thrown away.
      if (isSlow && !this.isTold && isPublished) return;
      if (isSlow && this.isTold) return this.#dropped();
      const data = typeof frame === "string" ? frame : new Uint8Array(frame).buffer;
      this.down(`gets ${labelOf(frame)}`, () => this.socket.message(data));
    }
    #dropped(): void {
      if (this.#lagging) return;
      this.#lagging = true;
      virtual.after(chance() * 200, this.host.owner, "a message was dropped", () => {
        this.#lagging = false;
        if (!this.isCut) this.conversation?.lagged();
      });
    }
    /** Ends it for both, each being told in its own time. */
    sever(clientAfterMs: number, hostAfterMs: number): void {
      if (this.isCut) return;
      this.isCut = true;
      lines.delete(this);
      virtual.after(clientAfterMs, this.client, "connection lost", () =>
        this.socket.ended(1006, ""),
      );
      virtual.after(hostAfterMs, this.host.owner, "peer lost", () => this.conversation?.closed());
    }
    cut(): void {
      this.sever(chance() * 3000, chance() * 3000);
    }
    freeze(): void {
      if (this.isFrozen || this.isCut) return;
      this.isFrozen = true;
      virtual.after(LIMITS.maxSilenceMs, this.host.owner, "peer silent", () => {
        this.conversation?.closed();
        lines.delete(this);
      });
    }
    loseEvent(isLosing: boolean): void {
      this.isLosing = isLosing;
    }
    slow(forMs: number): void {
      this.slowUntilMs = virtual.nowMs + forMs;
      this.isTold = chance.hits(0.6);
    }
  }

  class HostSide implements Socket {
    readonly json: boolean;
    readonly address = "10.0.0.1";
    readonly #line: Connection;
    #isOver = false;
    constructor(line: Connection, json: boolean) {
      this.#line = line;
      this.json = json;
    }
    get waitingBytes(): number {
      return virtual.nowMs < this.#line.slowUntilMs ? LIMITS.maxBackpressureBytes : 0;
    }
    send(frame: Uint8Array | string): void {
      if (!this.#isOver) this.#line.deliver(frame, false);
    }
    cork(work: () => void): void {
      work();
    }
    subscribe(topic: string): void {
      if (!this.#isOver) this.#line.topics.add(topic);
    }
    unsubscribe(topic: string): void {
      this.#line.topics.delete(topic);
    }
    end(code: number, reason: string): void {
      if (this.#isOver) return;
      this.#isOver = true;
      const line = this.#line;
      line.topics.clear();
      line.down(`closed with ${code}`, () => {
        lines.delete(line);
        line.isCut = true;
        line.socket.ended(code, reason);
      });
    }
  }

  type Listener = (event: object) => void;
  class SimSocket {
    readonly #line: Connection | undefined;
    readonly #listeners = new Map<string, Listener[]>();
    readonly #heard: (data: unknown) => void;
    readonly #client: Owner;
    readyState = 0;
    binaryType = "";

    constructor(
      client: Owner,
      heard: (data: unknown) => void,
      url: URL,
      protocol: string | readonly string[],
    ) {
      this.#client = client;
      this.#heard = heard;
      const host = hosts.get(url.hostname);
      if (host === undefined || !host.isListening) {
        virtual.after(latencyMs(), client, "refused", () => this.ended(1006, ""));
        return;
      }
      const line = new Connection(this, client, host);
      this.#line = line;
      line.up("is connected to", () => {
        if (!host.isListening) return line.sever(0, 0);
        line.conversation = host.accept(
          new HostSide(
            line,
            [protocol].flat().some((p) => p.endsWith("json")),
          ),
        );
        line.down("opens", () => {
          this.readyState = 1;
          this.#emit("open", {});
        });
      });
    }
    addEventListener(event: string, listener: Listener): void {
      this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    }
    send(data: Uint8Array | string): void {
      const line = this.#line;
      if (this.readyState !== 1 || line === undefined) return;
      const isText = typeof data === "string";
      const bytes = isText ? new TextEncoder().encode(data) : new Uint8Array(data);
      line.up(`hears ${labelOf(data)} of ${this.#client.name}`, () =>
        line.conversation?.heard(bytes, isText),
      );
    }
    close(): void {
      if (this.readyState >= 2) return;
      this.readyState = 2;
      const line = this.#line;
      if (line === undefined) return;
      line.up("is left", () => {
        lines.delete(line);
        line.isCut = true;
        line.conversation?.closed();
      });
    }
    message(data: unknown): void {
      if (this.readyState !== 1) return;
      this.#heard(data);
      this.#emit("message", { data });
    }
    ended(code: number, reason: string): void {
      if (this.readyState === 3) return;
      this.readyState = 3;
      if (code === 1006) this.#emit("error", {});
      this.#emit("close", { code, reason });
    }
    #emit(event: string, what: object): void {
      for (const listener of this.#listeners.get(event) ?? []) listener(what);
    }
  }

  return {
    lines,
    hosts,
    socketFor: (client, heard) =>
      class extends SimSocket {
        constructor(url: URL, protocol: string | readonly string[]) {
          super(client, heard, url, protocol);
        }
      } as unknown as typeof WebSocket,
    publish(owner, topic, frame) {
      for (const line of lines)
        if (line.host.owner === owner && line.topics.has(topic)) line.deliver(frame, true);
    },
    died(owner, isSilent) {
      for (const line of lines) {
        if (line.host.owner !== owner) continue;
        if (isSilent) line.freeze();
        else line.sever(chance() * 50, 0);
      }
    },
  };
}

/** Opcodes of lane R here: 0x50 to 0x5f. */
const EVENTS = /^(8\d|9[0-5])$/;
/** Opcode, for the trace. */
const labelOf = (data: Uint8Array | string): string =>
  typeof data === "string" ? (/^\[(\d+)/.exec(data)?.[1] ?? "?") : `${opcodeOf(data)}`;
const opcodeOf = (bytes: Uint8Array): number => (bytes[1] === 0xcc ? bytes[2] : bytes[1]) ?? 0;

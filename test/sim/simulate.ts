/**
 * One simulated show: clients, nodes and a store under a virtual clock, with faults drawn by chance; then the faults end, and within
 * two minutes everything must be well again. What is checked is what the clients saw and were told, against the store.
 */
import { DROP as DROP_RECORD } from "#wire";
import { type Chance, chanceOf } from "../helpers/chance.ts";
import { judge } from "../helpers/seen.ts";
import { type SimClient, startClient } from "./client.ts";
import { createNetwork, type Line, type Network } from "./network.ts";
import { type SimNode, startNode } from "./node.ts";
import { createModel, DROP, type Model } from "./store.ts";
import { install, type Virtual } from "./virtual.ts";

export interface Run {
  readonly steps: number;
  /** The same for the same seed. */
  readonly hash: number;
  /** Broken promises, one sentence each. */
  readonly faults: readonly string[];
  readonly trace: readonly string[];
  /** Faults that were injected, by name. */
  readonly weather: Readonly<Record<string, number>>;
}

const PLACES = ["n1", "n2", "n3"];
const CLIENTS = 8;
/** Longer than the longest silence that a client bears, the longest backoff and the longest wait for an answer. */
const CALM_MS = 120_000;
/** Two beats of every client, and a look between them. */
const BEATS_MS = 65_000;

/** @param busyMs how long faults happen */
export async function simulate(seed: number, busyMs = 90_000): Promise<Run> {
  const chance = chanceOf(seed);
  const virtual = install(chance);
  try {
    return await new Show(virtual, chance).play(busyMs);
  } finally {
    virtual.uninstall();
  }
}

type Fault = (who: string, what: string) => void;

class Show {
  readonly #virtual: Virtual;
  readonly #chance: Chance;
  readonly #network: Network;
  readonly #model: Model;
  readonly #appended = new Set<() => void>();
  readonly #nodes = new Map<string, SimNode>();
  readonly #clients: readonly SimClient[];
  readonly #faults: string[] = [];
  readonly #weather: Record<string, number> = {};
  #incarnations = 0;
  #isBusy = true;

  constructor(virtual: Virtual, chance: Chance) {
    this.#virtual = virtual;
    this.#chance = chance;
    this.#network = createNetwork(virtual, chance);
    this.#model = createModel(() => virtual.nowMs + 1e12, 40);
    this.#model.onAppended = () => {
      for (const look of this.#appended) look();
    };
    for (const place of PLACES) this.#start(place);
    this.#clients = Array.from({ length: CLIENTS }, (_, i) =>
      startClient(i, PLACES, { virtual, chance, network: this.#network }),
    );
  }

  async play(busyMs: number): Promise<Run> {
    const world = this.#virtual.owner("world");
    for (const client of this.#clients) this.#often(client.owner, "acts", 700, () => client.act());
    this.#often(world, "the host does something", 300, () => this.#host());
    this.#often(world, "a fault", 900, () => this.#misfortune());
    await this.#virtual.pass(busyMs);
    this.#isBusy = false;
    for (const { weather } of this.#nodes.values()) weather.outageUntilMs = weather.lagUntilMs = 0;
    for (const place of PLACES) if (this.#nodes.get(place)?.isUp !== true) this.#start(place);
    await this.#virtual.pass(CALM_MS);
    // One more of everything: lanes S and A are right again with the next. Of lane R two, of which some lose the first: the second shows it.
    for (const line of this.#network.lines) line.loseEvent(this.#chance.hits(0.3));
    this.#model.announce({ kind: "slowModeChanged", slowModeMs: 500 });
    this.#model.announce({ kind: "slowModeChanged", slowModeMs: 0 });
    this.#model.restock(1);
    this.#model.presence("probe", { mode: "whole", came: ["probe"], left: [] });
    this.#clients[0]?.tap();
    await this.#virtual.pass(2000);
    this.#model.presence("probe", { mode: "end", came: [], left: [] });
    await this.#virtual.pass(5000);
    for (const client of this.#clients) this.#checkScreen(client);
    // An event that is lost with none after it is made up by beats.
    for (const line of this.#network.lines) line.loseEvent(this.#chance.hits(0.3));
    this.#model.announce({ kind: "slowModeChanged", slowModeMs: 1000 });
    await this.#virtual.pass(BEATS_MS);
    this.#check();
    const { steps, hash, trace } = this.#virtual;
    return { steps, hash, trace, faults: this.#faults, weather: this.#weather };
  }

  /** Again and again while the show is busy. */
  #often(owner: SimClient["owner"], what: string, everyMs: number, run: () => void): void {
    const again = (): void => {
      if (!this.#isBusy) return;
      this.#virtual.after(2 * everyMs * this.#chance(), owner, what, () => {
        if (this.#isBusy) run();
        again();
      });
    };
    again();
  }

  #start(place: string): void {
    const node = startNode(place, ++this.#incarnations, {
      virtual: this.#virtual,
      chance: this.#chance,
      network: this.#network,
      model: this.#model,
      appended: this.#appended,
      bug: (what) => this.#faults.push(what),
    });
    this.#nodes.set(place, node);
  }

  #host(): void {
    const chance = this.#chance;
    const model = this.#model;
    const sku = `sku${chance.below(5)}`;
    const product = {
      sku,
      title: sku,
      priceCents: chance.below(1e6),
      stock: 1,
      imageUrl: "",
      category: "",
    };
    chance.pick([
      () => model.announce({ kind: "productChanged", product }),
      () => model.announce({ kind: "pinned", sku }),
      () => model.announce({ kind: "unpinned", sku }),
      () => model.restock(1 + chance.below(3)),
      () => {
        if (model.comments.length > 0)
          model.announce({
            kind: "commentDeleted",
            commentNo: 1 + chance.below(model.comments.length),
          });
      },
    ])();
  }

  #misfortune(): void {
    const chance = this.#chance;
    const lines = [...this.#network.lines];
    const nodes = [...this.#nodes.values()].filter(({ isUp }) => isUp);
    const untilMs = this.#virtual.nowMs + chance.below(4000);
    const toLine = (name: string, run: (line: Line) => void) => (): void => {
      if (lines.length === 0) return;
      this.#count(name);
      run(chance.pick(lines));
    };
    const toNode = (name: string, run: (node: SimNode) => void) => (): void => {
      // One node stays, so that there is somewhere to go.
      if (nodes.length < 2) return;
      this.#count(name);
      run(chance.pick(nodes));
    };
    chance.pick([
      toLine("cut", (line) => line.cut()),
      toLine("cut", (line) => line.cut()),
      toLine("half-open", (line) => line.freeze()),
      toLine("slow", (line) => line.slow(chance.below(1500))),
      toLine("lost event", (line) => line.loseEvent(true)),
      toNode("outage", ({ weather }) => (weather.outageUntilMs = untilMs)),
      toNode("lag", ({ weather }) => (weather.lagUntilMs = untilMs)),
      toNode("lag", ({ weather }) => (weather.lagUntilMs = untilMs)),
      toNode("crash", (node) => this.#replace(node, () => node.crash(chance.hits(0.3)))),
      toNode("drain", (node) => this.#replace(node, () => node.drain(chance.below(3000)))),
    ])();
  }

  #count(name: string): void {
    this.#weather[name] = (this.#weather[name] ?? 0) + 1;
  }

  /** Ends a node, and starts it again some seconds later. */
  #replace(node: SimNode, end: () => void): void {
    const place = PLACES.find((name) => this.#nodes.get(name) === node) as string;
    end();
    const world = this.#virtual.owner("world");
    this.#virtual.after(6000 + this.#chance.below(4000), world, `${place} starts again`, () => {
      if (this.#isBusy) this.#start(place);
    });
  }

  #fault(who: string, what: string): void {
    this.#faults.push(`${who}: ${what}`);
  }

  #checkScreen({ viewerId, live }: SimClient): void {
    const store = JSON.stringify(screenOf(this.#model.room));
    const screen = live === undefined ? "nothing" : JSON.stringify(screenOf(live.state));
    if (screen !== store) this.#fault(viewerId, `sees ${screen}, the store has ${store}`);
  }

  #check(): void {
    const model = this.#model;
    const fault: Fault = (who, what) => this.#fault(who, what);
    const total = { likes: 0, shares: 0 };
    for (const client of this.#clients) {
      const { viewerId, live, seen, asked, tapped } = client;
      total.likes += tapped.likes;
      total.shares += tapped.shares;
      for (const what of client.faults) fault(viewerId, what);
      if (live === undefined || seen === undefined) {
        fault(viewerId, "never got in");
        continue;
      }
      if (live.state.connection !== "live") fault(viewerId, `is ${live.state.connection}`);
      this.#checkScreen(client);
      for (const what of judge(seen, model.events)) fault(viewerId, what);
      this.#checkAnswers(viewerId, asked, fault);
      this.#checkOrders(client, fault);
    }
    if (model.room.likes !== total.likes || model.room.shares !== total.shares)
      fault("totals", `${model.room.likes}/${model.room.shares} of ${total.likes}/${total.shares}`);
    if (model.room.viewers !== CLIENTS) fault("viewers", `${model.room.viewers} of ${CLIENTS}`);
    this.#checkEnd(fault);
  }

  /** Every question has one answer, and it is true. */
  #checkAnswers(viewerId: string, asked: SimClient["asked"], fault: Fault): void {
    for (const { what, id, answer } of asked) {
      if (answer === "") fault(viewerId, `${what} ${id} was never answered`);
      if (what === "hold") {
        const stands = this.#model.holds.has(`${viewerId}|${id}`);
        const isNo = /soldOut|limit|tooFast/.test(answer) && !wasHeld(asked, id);
        if (stands ? isNo : answer === "held")
          fault(viewerId, `${id} ${stands ? "is" : "is not"} held, and was told ${answer}`);
      } else if (what === "comment" && id !== "666")
        this.#checkComment(viewerId, id, answer, fault);
    }
  }

  #checkComment(viewerId: string, text: string, answer: string, fault: Fault): void {
    const stands = this.#model.comments.filter(
      ([comment]) => comment.viewerId === viewerId && comment.text === text,
    ).length;
    const least = answer === "accepted" ? 1 : 0;
    // A repeat that overtakes the first one, still on its way through another node, may be told `tooFast`: nobody knows of it yet.
    const most = least === 1 || /^fault|tooFast/.test(answer) ? 1 : 0;
    if (stands < least || stands > most)
      fault(viewerId, `"${text}" stands ${stands}×, and was told ${answer}`);
  }

  #checkOrders({ viewerId, live }: SimClient, fault: Fault): void {
    for (const [id, order] of this.#model.holds) {
      const [owner, key = ""] = id.split("|");
      if (owner !== viewerId) continue;
      const state = live?.state.orders.get(key)?.state;
      if (state !== order.state) fault(viewerId, `sees ${key} ${state}, it is ${order.state}`);
    }
  }

  /** Who leaves, leaves no timer. */
  #checkEnd(fault: Fault): void {
    for (const client of this.#clients) {
      client.close();
      const left = this.#virtual
        .waiting(client.owner)
        .filter((what) => /timeout|interval/.test(what));
      if (left.length > 0) fault(client.viewerId, `left ${left.join(", ")}`);
    }
  }
}

/** The same key had been answered before: an answer that is remembered, or one that came too late. */
const wasHeld = (asked: SimClient["asked"], id: string): boolean =>
  asked.some(({ what, id: other, answer }) => what === "hold" && other === id && answer === "held");

const FIELDS = Object.keys((DROP_RECORD as unknown as { readonly fields: object }).fields);

const screenOf = (room: Model["room"]): unknown => [
  room.offset,
  room.pinned,
  [...room.products.values()].map(({ sku, priceCents }) => `${sku} ${priceCents}`).sort(),
  FIELDS.map((field) => room.drops.get(DROP)?.[field as "state"]),
  [room.likes, room.shares, room.viewers],
];

/**
 * Scenarios: small scripts on real sockets and a real Redis, several at a time on one world. Each has a show of its own and a seed;
 * whoever joined by `viewer` is watched, and at the end every scenario checks by itself that each of them saw lane R exactly once
 * and in order, S and A never backwards, every receipt of V balance, and that their screens are what the store has.
 * `SEED=7 vitest run --project scenario` plays them with other chances.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ConnectOptions, Live } from "#sdk";
import type { DownFrame, Role } from "#wire";
import { showKeys } from "../../server/redis/keys.ts";
import { type Cable, layCable } from "../helpers/cable.ts";
import { type Chance, chanceOf } from "../helpers/chance.ts";
import { type Killable, startKillable } from "../helpers/killable.ts";
import { openRaw, type Raw } from "../helpers/raw.ts";
import { type Gateway, startWorld, until, type World } from "../helpers/rooms.ts";
import { judge, type Seen, watch } from "../helpers/seen.ts";
import { add, eventsOf, type Receipt, sameAsStore, tapped } from "./checks.ts";

const SEED = Number(process.env["SEED"] ?? 1);

/** A client that is watched. */
export interface Viewer {
  readonly live: Live;
  readonly seen: Seen;
  /** Sums over the receipts of lane V that came to this client. */
  readonly receipt: Receipt;
  /** Every frame that came, over all connections. */
  readonly frames: readonly DownFrame[];
  /** Leaves; what it saw is judged all the same. */
  leave(): void;
}

export interface ViewerOptions extends Partial<Omit<ConnectOptions, "url" | "show">> {
  readonly at?: Gateway | Cable | readonly (Gateway | Cable)[];
  readonly role?: Role;
  readonly losesHistory?: boolean;
}

export interface Stage {
  readonly world: World;
  readonly one: Gateway;
  readonly two: Gateway;
  readonly show: string;
  readonly chance: Chance;
  /** Joins at node one unless told otherwise. */
  viewer(viewerId: string, options?: ViewerOptions): Promise<Viewer>;
  /** So many, `v0` … , spread over both nodes. */
  crowd(size: number, options?: ViewerOptions): Promise<readonly Viewer[]>;
  /** Ended with the scenario. */
  cable(to: Gateway): Promise<Cable>;
  gateway(env?: Readonly<Record<string, string>>): Promise<Gateway>;
  /** A gateway in a process of its own. */
  killable(): Promise<Killable>;
  raw(json?: boolean, at?: Gateway | Cable): Promise<Raw>;
  /** A raw socket that has said hello and joined. */
  greeted(viewerId: string, options?: Greeting): Promise<Raw>;
  /** So many events of lane R, one after the other. */
  happen(events: number): Promise<void>;
  /** Fields of the show in Redis. */
  booked(): Promise<Record<string, string>>;
  epoch(): Promise<string>;
  /** Events of lane R as the log has them. */
  events(): Promise<readonly DownFrame[]>;
  token(viewerId: string, role?: Role): Promise<string>;
}

export interface Greeting {
  readonly json?: boolean;
  readonly at?: Gateway | Cable;
  readonly epoch?: string;
  readonly offset?: number;
  readonly client?: string;
  readonly role?: Role;
}

export interface ScenarioOptions {
  readonly maxMs?: number;
}

export type Scenario = (
  title: string,
  play: (stage: Stage) => Promise<void>,
  options?: ScenarioOptions,
) => void;

/**
 * The world of one test file, and the function that declares its scenarios.
 * @param alone one at a time: they do things to Redis that concern the whole world
 */
export function stageOf(alone = false): Scenario {
  let world: World;
  let gateways: readonly [Gateway, Gateway];
  beforeAll(async () => {
    world = await startWorld();
    gateways = await Promise.all([world.gateway(), world.gateway()]);
  });
  afterAll(() => world.stop());
  let declared = 0;
  return (title, play, options = {}) => {
    const seed = SEED * 1000 + ++declared;
    const { maxMs = 30_000 } = options;
    (alone ? test : test.concurrent)(title, { timeout: maxMs }, () =>
      perform(world, gateways, seed, play),
    );
  };
}

async function perform(
  world: World,
  [one, two]: readonly [Gateway, Gateway],
  seed: number,
  play: (stage: Stage) => Promise<void>,
): Promise<void> {
  const show = await world.show();
  const viewers: Viewer[] = [];
  const ends: (() => unknown)[] = [];
  const urlsOf = (at: ViewerOptions["at"] = one): readonly string[] =>
    [at].flat().map(({ url }) => url);
  const token = (viewerId: string, role: Role = "viewer"): Promise<string> =>
    world.tokens.sign({ show, viewerId, role, name: viewerId });
  let happened = 0;

  const stage: Stage = {
    world,
    one,
    two,
    show,
    chance: chanceOf(seed),
    token,
    async viewer(viewerId, { at, losesHistory = false, ...options } = {}) {
      const receipt = { accepted: 0, shown: 0, skipped: 0 };
      const frames: DownFrame[] = [];
      const WebSocket = tapped((frame) => {
        frames.push(frame);
        if (frame.kind === "comments") add(receipt, frame);
      });
      const live = await world.join(one, show, viewerId, {
        WebSocket,
        ...options,
        url: urlsOf(at),
      });
      const seen = watch(live, losesHistory);
      const leave = (): void => {
        seen.stop();
        live.close();
      };
      ends.push(leave);
      const viewer = { live, seen, receipt, frames, leave };
      viewers.push(viewer);
      return viewer;
    },
    crowd: (size, options = {}) =>
      Promise.all(
        Array.from({ length: size }, (_, i) =>
          stage.viewer(`v${i}`, { at: i % 2 === 0 ? one : two, ...options }),
        ),
      ),
    async cable(to) {
      const cable = await layCable(to.url);
      ends.push(() => cable.stop());
      return cable;
    },
    async gateway(env = {}) {
      const gateway = await world.gateway(undefined, env);
      ends.push(() => gateway.stop());
      return gateway;
    },
    async killable() {
      const node = await startKillable(world);
      ends.push(() => node.stop());
      return node;
    },
    async raw(json = false, at = one) {
      const raw = await openRaw(at.url, json);
      ends.push(() => raw.close());
      return raw;
    },
    async greeted(viewerId, { json, at, epoch = "", offset = 0, client = viewerId, role } = {}) {
      const raw = await stage.raw(json, at);
      raw.ask("hello", { token: await token(viewerId, role), show, client, epoch, offset });
      await until(() => raw.heard("joined").length > 0);
      return raw;
    },
    async happen(events) {
      for (let i = 0; i < events; i++)
        await world.shows.putProduct(show, {
          sku: `sku${happened % 7}`,
          title: "茶",
          priceCents: ++happened,
          stock: 1,
          imageUrl: "",
          category: "",
        });
    },
    booked: () => world.store.hgetall(showKeys(show).meta),
    epoch: async () => (await world.store.hget(showKeys(show).meta, "epoch")) ?? "",
    events: () => eventsOf(world.store, show),
  };
  try {
    await play(stage);
    for (const { live } of viewers)
      if (live.state.connection !== "closed") await sameAsStore(world, show, live);
    const log = await eventsOf(world.store, show);
    for (const { live, seen } of viewers)
      expect(judge(seen, log), `${live.state.viewerId} (seed ${seed})`).toEqual([]);
  } finally {
    await Promise.all(ends.toReversed().map((end) => end()));
  }
}

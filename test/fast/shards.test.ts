import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeDown } from "#wire";
import { encodeDown } from "#wire/server";
import { createMembers, type Linked } from "../../server/room/members.ts";
import { createShards, type Feed, type Listener, MAX_SHARD } from "../../server/room/shards.ts";
import { createTurns, type Topic } from "../../server/room/turns.ts";

/** A gateway whose loop turns by hand, and whose sockets write down the ticks and offsets they get. */
function gateway() {
  const sockets = new Map<string, Set<Viewer>>();
  const due = new Set<() => void>();
  let written = 0;
  let mostWritten = 0;
  class Viewer implements Listener {
    json = false;
    topic: Topic | undefined;
    readonly urgent: number[] = [];
    readonly later: number[] = [];
    subscribe(topic: string): void {
      sockets.set(topic, (sockets.get(topic) ?? new Set()).add(this));
    }
    unsubscribe(topic: string): void {
      sockets.get(topic)?.delete(this);
    }
  }
  const turns = createTurns({
    publish({ name }, message) {
      const frame = decodeDown(message as Uint8Array);
      const hearing = sockets.get(name) ?? new Set();
      written += hearing.size;
      for (const viewer of hearing)
        if (frame.kind === "joined") viewer.urgent.push(frame.offset);
        else if (frame.kind === "reacted") viewer.later.push(frame.seq);
    },
    nextTurn(fn) {
      due.add(fn);
      return () => due.delete(fn);
    },
    isRush: () => false,
    afterMoment: () => () => undefined,
    nowMs: () => 0,
  });
  const flushes: number[] = [];
  const shards = createShards({
    room: "show",
    turns,
    nowMs: () => 0,
    onFlushed: (ms) => void flushes.push(ms),
  });
  return {
    Viewer,
    shards,
    flushes,
    urgent: (n: number) => shards.urgent(encodeDown("joined", { offset: n })),
    later: (feed: Feed, n: number) => shards.later(feed, encodeDown("reacted", { seq: n })),
    /** Sockets that hear this topic. */
    topics: () => [...sockets.values()].map((set) => set.size).filter((size) => size > 0),
    turn() {
      const now = [...due];
      due.clear();
      mostWritten = Math.max(mostWritten, written);
      written = 0;
      for (const fn of now) fn();
    },
    get written() {
      return written;
    },
    join(count: number, feed: Feed = "full"): Viewer[] {
      return Array.from({ length: count }, () => {
        const viewer = new Viewer();
        shards.place(viewer, feed);
        return viewer;
      });
    },
    isIdle: () => due.size === 0,
  };
}

const FEEDS = ["full", "lite", "core", "crew"] as const;
const feedOf = (n: number): Feed => FEEDS[n % 4] as Feed;
const act = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("join" as const), n: fc.integer({ min: 1, max: 900 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("move" as const), n: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), n: fc.nat() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("urgent" as const, "later" as const, "turn" as const),
      n: fc.nat(),
    }),
  },
);

test("[SHARD1] whoever joins, moves and leaves: each viewer hears every urgent frame once and in order, and every later one of its feed", () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const world = gateway();
      type Viewer = InstanceType<typeof world.Viewer>;
      const here = new Map<Viewer, { feed: Feed; urgent: number[]; later: number[] }>();
      const gone: (readonly [Viewer, { urgent: number[]; later: number[] }])[] = [];
      let frames = 0;
      const pick = (n: number): Viewer | undefined => [...here.keys()][n % Math.max(1, here.size)];
      const acting: Readonly<Record<(typeof acts)[number]["do"], (n: number) => void>> = {
        join(n) {
          for (const viewer of world.join(n, feedOf(n)))
            here.set(viewer, { feed: feedOf(n), urgent: [], later: [] });
        },
        turn: () => world.turn(),
        urgent() {
          world.urgent(++frames);
          for (const due of here.values()) due.urgent.push(frames);
        },
        later(n) {
          world.later(feedOf(n), ++frames);
          for (const due of here.values()) if (due.feed === feedOf(n)) due.later.push(frames);
        },
        move(n) {
          const viewer = pick(n);
          if (viewer === undefined) return;
          world.shards.place(viewer, feedOf(n));
          here.get(viewer)!.feed = feedOf(n);
        },
        leave(n) {
          const viewer = pick(n);
          if (viewer === undefined) return;
          gone.push([viewer, here.get(viewer)!]);
          here.delete(viewer);
          // As a closed socket: what still waits for it is lost with it.
          viewer.unsubscribe(viewer.topic?.name ?? "");
          world.shards.remove(viewer);
        },
      };
      for (const { do: what, n } of acts) acting[what](n);
      while (!world.isIdle()) world.turn();
      for (const [viewer, due] of here) {
        expect(viewer.urgent).toEqual(due.urgent);
        expect(viewer.later).toEqual(due.later);
      }
      for (const [viewer, due] of gone)
        expect(viewer.urgent).toEqual(due.urgent.slice(0, viewer.urgent.length));
      for (const size of world.topics()) expect(size).toBeLessThanOrEqual(MAX_SHARD);
      expect(world.shards.isFlushing).toBe(false);
    }),
    { numRuns: 60 },
  );
});

test("[SHARD2] a flush goes out one shard per turn of the loop, and what is urgent does not wait for it", () => {
  const world = gateway();
  const viewers = world.join(4000);
  expect(world.topics()).toHaveLength(3);
  world.later("full", 1);
  const heardFirst = viewers.filter((v) => v.later.length === 1).length;
  expect(heardFirst).toBeGreaterThan(0);
  expect(heardFirst).toBeLessThanOrEqual(MAX_SHARD);
  expect(world.shards.isFlushing).toBe(true);
  world.urgent(7);
  let turns = 0;
  while (viewers.some((v) => v.urgent.length === 0)) {
    world.turn();
    turns++;
    expect(world.written).toBeLessThanOrEqual(2 * MAX_SHARD);
  }
  // All have the event before the last one has the flush that was there first.
  expect(turns).toBeLessThanOrEqual(4);
  expect(viewers.filter((v) => v.later.length === 0).length).toBeGreaterThan(0);
  while (!world.isIdle()) world.turn();
  expect(viewers.every((v) => v.later.length === 1 && v.urgent.length === 1)).toBe(true);
  expect(world.flushes).toHaveLength(1);
});

test("[SHARD3] joins fill shards evenly; when a shard fewer would do, the smallest is emptied into the others", () => {
  const world = gateway();
  const viewers = world.join(4 * MAX_SHARD);
  expect(world.topics()).toEqual(Array.from({ length: 4 }, () => MAX_SHARD));
  const left = viewers.filter((_, i) => i % 3 !== 0);
  for (const viewer of left) {
    viewer.unsubscribe(viewer.topic?.name ?? "");
    world.shards.remove(viewer);
  }
  const stay = viewers.filter((_, i) => i % 3 === 0);
  for (let looks = 0; looks < 4 && world.shards.tidy(); looks++)
    for (const viewer of stay)
      if (world.shards.isMisplaced(viewer)) world.shards.place(viewer, "full");
  expect(world.shards.size("full")).toBe(stay.length);
  expect(world.topics().length).toBeLessThanOrEqual(3);
  const before = world.topics();
  world.join(300);
  const spread = Math.max(...world.topics()) - Math.min(...world.topics());
  expect(spread).toBeLessThanOrEqual(Math.max(...before) - Math.min(...before));
  world.urgent(1);
  while (!world.isIdle()) world.turn();
  expect(stay.every((v) => v.urgent.length === 1)).toBe(true);
});

test("[SHARD4] a viewer's connections are all found, and counted as one viewer", () => {
  interface M extends Linked<M> {
    readonly id: number;
  }
  const step = fc.record({ viewer: fc.nat(4), leaves: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const members = createMembers<M>();
      const model = new Map<string, Set<M>>();
      steps.forEach(({ viewer, leaves }, id) => {
        const viewerId = `v${viewer}`;
        const own = model.get(viewerId) ?? new Set<M>();
        model.set(viewerId, own);
        if (leaves) {
          const some = [...own][id % Math.max(1, own.size)];
          if (some === undefined) return;
          own.delete(some);
          members.remove(some);
          members.remove(some);
        } else {
          const member: M = { viewerId, id, next: undefined };
          own.add(member);
          members.add(member);
        }
      });
      for (const [viewerId, own] of model) {
        expect(new Set(members.of(viewerId))).toEqual(own);
        expect(members.has(viewerId)).toBe(own.size > 0);
      }
      const total = [...model.values()].flatMap((own) => [...own]);
      expect(new Set(members.all())).toEqual(new Set(total));
      expect(members.viewers).toBe([...model.values()].filter((own) => own.size > 0).length);
    }),
  );
});

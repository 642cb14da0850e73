import fc from "fast-check";
import { expect, test } from "vitest";
import { LIMITS } from "#wire";
import { createPacing, type Paced } from "../../server/room/pacing.ts";
import type { Feed } from "../../server/room/shards.ts";
import { type Hearing, judge } from "../../server/room/slow.ts";
import { createTickTimes } from "../../server/room/tick-times.ts";

const fine: Hearing = {
  feed: "full",
  isCrew: false,
  ageMs: 0,
  echoes: true,
  lateEchoes: 0,
  waitingBytes: 0,
  caughtUp: true,
  sinceMs: 1e6,
  downs: 0,
};

test("[SLOW1] who says in time what it saw stays on the full feed; the older its view, the less it is sent", () => {
  const depth: Record<Feed | "close", number> = { crew: 0, full: 0, lite: 1, core: 2, close: 3 };
  fc.assert(
    fc.property(
      fc.nat(60_000),
      fc.nat(60_000),
      fc.nat(9),
      fc.boolean(),
      (a, b, lateEchoes, echoes) => {
        const [young, old] = [Math.min(a, b), Math.max(a, b)];
        const of = (ageMs: number, more = 0): number =>
          depth[judge({ ...fine, ageMs, lateEchoes: lateEchoes + more, echoes })];
        expect(of(young)).toBeLessThanOrEqual(of(old));
        expect(of(young)).toBeLessThanOrEqual(of(young, 1));
      },
    ),
  );
  // One late echo may be our own delay; who goes on being late hears less, and more again only when it is on time.
  const late = (lateEchoes: number): Hearing => ({ ...fine, ageMs: 3000, lateEchoes });
  expect([1, 2, 6].map((n) => judge(late(n)))).toEqual(["full", "lite", "core"]);
  expect([1, 0].map((n) => judge({ ...late(n), feed: "lite" }))).toEqual(["lite", "full"]);
  expect(judge({ ...fine, ageMs: LIMITS.seenEveryMs + 500 })).toBe("full");
  expect(judge({ ...fine, ageMs: LIMITS.seenEveryMs + 3000 })).toBe("lite");
  expect(judge({ ...fine, ageMs: LIMITS.seenEveryMs + 6000 })).toBe("core");
  // Only its beats tell: they come every 20 to 25 s.
  expect(judge({ ...fine, echoes: false, ageMs: 26_000 })).toBe("full");
  // A host who is slow keeps the crew's feed or has none: the two count differently.
  expect(judge({ ...fine, feed: "crew", isCrew: true, ageMs: 6000 })).toBe("crew");
  expect(judge({ ...fine, feed: "core", isCrew: true })).toBe("crew");
});

test("[SLOW1] a socket that the kernel takes no more from is off the comments at once; silence for two minutes ends it", () => {
  expect(judge({ ...fine, waitingBytes: 100_000 })).toBe("core");
  const behind = { ...fine, feed: "core", caughtUp: false } as const;
  expect(judge({ ...behind, sinceMs: 60_000 })).toBe("core");
  expect(judge({ ...behind, sinceMs: 130_000 })).toBe("close");
  expect(judge({ ...behind, caughtUp: true, sinceMs: 100 })).toBe("lite");
});

/** A room with a clock: `tick` publishes one on every feed. */
function room() {
  const clock = { ms: 0 };
  const times = {
    crew: createTickTimes(),
    full: createTickTimes(),
    lite: createTickTimes(),
    core: createTickTimes(),
  };
  let ticks = 0;
  const told: Feed[] = [];
  const socket = { waitingBytes: 0, asked: 0 };
  const member: Paced & { closed: boolean } = {
    role: "viewer",
    json: false,
    topic: undefined,
    get waitingBytes() {
      socket.asked++;
      return socket.waitingBytes;
    },
    feed: "full",
    seenTick: 0,
    markTick: 0,
    changedAtMs: 0,
    downs: 0,
    echoes: false,
    lateEchoes: 0,
    closed: false,
    subscribe: () => undefined,
    unsubscribe: () => undefined,
    send: (_, { feed }) => void told.push(feed),
    lagged: () => void (member.closed = true),
  };
  const lanes = {
    get ticks() {
      return ticks;
    },
    timesOf: (feed: Feed) => times[feed],
    isBetweenLite: true,
  };
  const shards = { place: () => undefined, tidy: () => false, isMisplaced: () => false };
  const pacing = createPacing(shards, lanes, () => clock.ms);
  pacing.begin(member);
  const seconds = (n: number, perSecond?: () => void): void => {
    for (let i = 0; i < n * 10; i++) {
      clock.ms += 100;
      ticks++;
      times.full.record(ticks, clock.ms);
      times.crew.record(ticks, clock.ms);
      if (ticks % 4 === 0) times.lite.record(ticks, clock.ms);
      if (i % 10 === 0) perSecond?.();
      pacing.look([member]);
    }
  };
  const quiet = (n: number): void => {
    for (let i = 0; i < n; i++) {
      clock.ms += 1000;
      pacing.look([member]);
    }
  };
  /** The newest tick it was sent on the feed it hears. */
  const newest = (): number => (member.feed === "core" ? member.markTick : times[member.feed].last);
  const seen = (): void => pacing.seen(member, newest(), true);
  /** On the line there are two seconds of ticks. */
  const seenLate = (): void => pacing.seen(member, Math.max(member.seenTick, newest() - 20), true);
  return { member, seconds, quiet, seen, seenLate, told, pacing, socket };
}

test("[SLOW2] a stalled viewer is stepped down to core within seconds, stays there, and comes back when it has seen what was sent", () => {
  const { member, seconds, seen, told } = room();
  seconds(30, seen);
  expect(told).toEqual([]);
  seconds(16);
  expect(member.feed).toBe("core");
  expect(told.at(-1)).toBe("core");
  seconds(60);
  expect([member.feed, member.closed]).toEqual(["core", false]);
  seconds(2, seen);
  expect(member.feed).toBe("lite");
  seconds(20, seen);
  expect(member.feed).toBe("full");
  seconds(300, seen);
  expect(member.feed).toBe("full");
  expect(told.length).toBeLessThanOrEqual(5);
});

test("[SLOW2] one that reads, but slowly, hears less within seconds, and one late echo alone changes nothing", () => {
  const { member, seconds, seen, seenLate, told } = room();
  seconds(20, seen);
  seconds(1, seenLate);
  seconds(20, seen);
  expect(told).toEqual([]);
  seconds(4, seenLate);
  expect(member.feed).toBe("lite");
  seconds(8, seenLate);
  expect(member.feed).toBe("core");
  seconds(20, seen);
  expect(member.feed).toBe("full");
});

test("[SLOW2] a viewer that shows no sign for minutes is closed; one that claims to have seen the future gains nothing", () => {
  const { member, seconds, pacing } = room();
  pacing.seen(member, 0, true);
  seconds(16, () => pacing.seen(member, 1_000_000, true));
  expect(member.feed).toBe("core");
  seconds(130);
  expect(member.closed).toBe(true);
});

test("[SLOW4] nobody's socket is asked who has just said what it saw; in a quiet room everybody's is", () => {
  const { member, seconds, quiet, seen, socket } = room();
  seconds(60, seen);
  expect(socket.asked).toBe(0);
  seen();
  quiet(20);
  expect(member.feed).toBe("full");
  socket.waitingBytes = 100_000;
  quiet(1);
  expect(member.feed).toBe("core");
});

test("[SLOW4] the ticks since a moment and the moment after a tick are found as by looking at each", () => {
  const ascending = fc.uniqueArray(fc.nat(500), { minLength: 0, maxLength: 60 });
  fc.assert(
    fc.property(ascending, fc.nat(500), (values, limit) => {
      const moments = values.toSorted((a, b) => a - b);
      const times = createTickTimes();
      moments.forEach((ms, i) => times.record(i * 3 + 1, ms));
      const at = moments.findIndex((ms) => ms > limit);
      expect(times.since(limit)).toBe(at < 0 ? undefined : at * 3 + 1);
      expect(times.after(limit)).toBe(moments[Math.floor((limit + 2) / 3)]);
    }),
  );
});

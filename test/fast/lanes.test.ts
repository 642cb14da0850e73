import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { type Comment, type DownFrame, LIMITS } from "#wire";
import { encodeDown } from "#wire/server";
import { createLanes, type Lanes } from "../../server/room/lanes.ts";
import type { Feed } from "../../server/room/shards.ts";
import { createSampling } from "../../server/room/sampling.ts";
import { createPace, MAX_TICK_MS } from "../../server/room/pace.ts";
import { type Published, shardsOf } from "../helpers/lanes.ts";

afterEach(() => {
  vi.useRealTimers();
});

const comment = (no: number, over: Partial<Comment> = {}): Comment => ({
  no,
  viewerId: `v${no}`,
  name: "n",
  role: "viewer",
  text: `c${no}`,
  count: 1,
  ...over,
});

const stock = (version: number): Uint8Array =>
  encodeDown("stockChanged", {
    dropId: "d",
    version,
    available: 1,
    held: 0,
    sold: 0,
    restockEpoch: 0,
    waitlisted: 0,
    waitServed: 0,
  });

type Frame = Extract<DownFrame, { kind: "comments" }>;

/** Lanes with a clock to turn by hand, and what they published to each feed. */
function lanesOf(sizes?: Partial<Record<Feed, number>>, chance: () => number = Math.random) {
  const out: Published[] = [];
  const clock = { ms: 0 };
  const shards = shardsOf((published) => void out.push(published), sizes);
  const lanes: Lanes = createLanes({ shards, chance, nowMs: () => clock.ms });
  const framesOf = (feed: Feed): readonly Frame[] =>
    out.flatMap((o) => (o.feed === feed && o.frame.kind === "comments" ? [o.frame] : []));
  return { lanes, out, clock, shards, framesOf };
}

const sum = (list: readonly number[]): number => list.reduce((total, n) => total + n, 0);

test("[LANE1] R goes out at once and S, as its latest, with it or soon; V and A with the tick", async () => {
  const { lanes, out } = lanesOf();
  const kinds = (): string[] => out.map(({ frame }) => frame.kind);
  lanes.comments([comment(1)]);
  lanes.totals(encodeDown("totals", { version: 1, likes: 1, shares: 0 }));
  for (const version of [1, 2, 3]) lanes.state("d", stock(version));
  expect(kinds()).toEqual([]);
  lanes.event(encodeDown("pinned", { offset: 1, sku: "s" }));
  expect(kinds()).toEqual(["pinned", "stockChanged"]);
  expect(out[1]?.frame).toMatchObject({ version: 3 });
  for (const version of [4, 5]) lanes.state("d", stock(version));
  await expect.poll(kinds).toEqual(["pinned", "stockChanged", "stockChanged"]);
  expect(out[2]?.frame).toMatchObject({ version: 5 });
  lanes.tick();
  lanes.tick();
  expect(kinds().slice(3)).toEqual(["totals", "comments"]);
  lanes.stop();
});

test("[LANE2] the receipts of lane V balance on every feed: accepted = shown + skipped", () => {
  const step = fc.record({ comments: fc.nat(120), ms: fc.integer({ min: 1, max: 300 }) });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 20 }),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      (steps, chances) => {
        const { lanes, clock, framesOf } = lanesOf(
          { full: 5, lite: 5, crew: 1 },
          () => chances.next().value as number,
        );
        let no = 0;
        for (const { comments, ms } of steps) {
          lanes.comments(
            Array.from({ length: comments }, () => comment(++no, { viewerId: `v${no % 30}` })),
          );
          clock.ms += ms;
          lanes.tick();
        }
        // The last portion of `lite` comes with the fourth tick.
        for (let i = 0; i < 4; i++) lanes.tick();
        for (const feed of ["full", "lite", "crew"] as const) {
          const frames = framesOf(feed);
          const shown = frames.flatMap((f) => f.comments.map((c) => c.no));
          expect(new Set(shown).size).toBe(shown.length);
          expect(shown).toEqual(shown.toSorted((a, b) => a - b));
          let upTo = 0;
          for (const f of frames) {
            expect(sum(f.comments.map((c) => c.count)) + f.skipped).toBe(f.accepted);
            expect(f.thinned).toBeLessThanOrEqual(feed === "lite" ? f.skipped : 0);
            expect(f.upTo).toBe((upTo += f.accepted));
          }
          expect(upTo).toBe(no);
        }
        const { accepted, shown, skipped } = lanes.receipt;
        expect([accepted, shown + skipped]).toEqual([no, no]);
      },
    ),
    { numRuns: 60 },
  );
});

test("[LANE2] no feed gets more comments than its rate allows, and a quiet quarter second is made up for", () => {
  const { lanes, clock, framesOf } = lanesOf({ full: 5, lite: 5, crew: 1 });
  const ticks = 100;
  for (let i = 0; i < ticks; i++) {
    lanes.comments(Array.from({ length: 100 }, (_, n) => comment(i * 100 + n)));
    lanes.tick();
    clock.ms += 50;
  }
  const seconds = (ticks * 50) / 1000;
  const shown = (feed: Feed): number => sum(framesOf(feed).map((f) => f.comments.length));
  const rates = {
    full: LIMITS.commentsShownPerSecond,
    lite: LIMITS.liteShownPerSecond,
    crew: LIMITS.crewShownPerSecond,
  };
  for (const feed of ["full", "lite", "crew"] as const) {
    expect(shown(feed)).toBeLessThanOrEqual(rates[feed] * (seconds + 0.25));
    expect(shown(feed)).toBeGreaterThan(rates[feed] * (seconds - 0.3));
  }
  expect(framesOf("full")[0]?.comments).toHaveLength(LIMITS.commentsShownPerSecond / 4);
  expect(framesOf("lite").length).toBeLessThanOrEqual(ticks / 4);
});

test("[LANE3] every comment of a crowded tick has the same chance to be shown", () => {
  const counts = Array.from({ length: 100 }, () => 0);
  const ticks = 3000;
  const places = 20;
  const sampling = createSampling(Math.random);
  for (let tick = 0; tick < ticks; tick++) {
    counts.forEach((_, no) => sampling.offer(comment(no)));
    for (const { no } of sampling.take(places)) counts[no] = (counts[no] ?? 0) + 1;
  }
  const expected = (ticks * places) / 100;
  // Six standard deviations of a binomial: fails about once in 10⁶ runs.
  const slack = 6 * Math.sqrt(expected * (1 - places / 100));
  for (const n of counts) expect(Math.abs(n - expected)).toBeLessThan(slack);
});

test("[LANE4] no sender gets another place while somebody else was left out with fewer", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 60 }),
      (offered, places) => {
        const sampling = createSampling(Math.random);
        let no = 0;
        offered.forEach((count, sender) => {
          for (let i = 0; i < count; i++)
            sampling.offer(
              comment(++no, { viewerId: `s${sender}`, role: sender === 0 ? "host" : "viewer" }),
            );
        });
        const shown = offered.map(() => 0);
        const taken = sampling.take(places);
        for (const { viewerId } of taken) shown[Number(viewerId.slice(1))]!++;
        expect(taken).toHaveLength(Math.min(places, no));
        const most = Math.max(...shown);
        offered.forEach((count, sender) => {
          if (count > (shown[sender] ?? 0)) expect(shown[sender]).toBeGreaterThanOrEqual(most - 1);
        });
      },
    ),
  );
});

test("[LANE5] in a crowd a host's comment is shown far more often than a viewer's, and so is one that stands for many", () => {
  const sampling = createSampling(Math.random);
  const shown = { host: 0, many: 0, one: 0 };
  for (let i = 0; i < 2000; i++) {
    for (let no = 10; no < 110; no++) sampling.offer(comment(no));
    sampling.offer(comment(1, { role: "host" }));
    sampling.offer(comment(2, { count: 38 }));
    const nos = new Set(sampling.take(10).map(({ no }) => no));
    if (nos.has(1)) shown.host++;
    if (nos.has(2)) shown.many++;
    if (nos.has(10)) shown.one++;
  }
  // Weight 8 against 1: about 0.55 against 0.09.
  expect(shown.host).toBeGreaterThan(3 * shown.one);
  expect(shown.many).toBeGreaterThan(3 * shown.one);
});

test("[LANE6] a tick that finds the one before still on its way is left out, and nothing of it is lost", () => {
  const { lanes, clock, shards, framesOf } = lanesOf({ full: 9000 });
  lanes.comments([comment(1)]);
  expect(lanes.tick()?.full).toEqual(new Set([1]));
  shards.isFlushing = true;
  lanes.comments([comment(2)]);
  clock.ms += 50;
  expect(lanes.tick()).toBeUndefined();
  lanes.comments([comment(3)]);
  shards.isFlushing = false;
  clock.ms += 50;
  expect(lanes.tick()?.full).toEqual(new Set([2, 3]));
  expect(framesOf("full").map((f) => [f.tick, f.accepted, f.upTo])).toEqual([
    [1, 1, 1],
    [2, 2, 3],
  ]);
});

test("[LANE7] host and moderators hear each comment by itself, up to 400 a second", () => {
  const { lanes, clock, framesOf } = lanesOf({ full: 1, crew: 1 });
  for (let i = 0; i < 200; i++) {
    lanes.comments([comment(2 * i, { text: "666" }), comment(2 * i + 1, { text: "666" })]);
    clock.ms += 10;
    if (i % 5 === 4) lanes.tick();
  }
  const crew = framesOf("crew");
  expect(sum(crew.map((f) => f.comments.length))).toBe(400);
  expect(sum(crew.map((f) => f.skipped))).toBe(0);
  expect(sum(framesOf("full").map((f) => f.comments.length))).toBeLessThan(10);
});

test("[LANE8] the tick widens at once when flushes take more than half of it, and narrows only after a calm while", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 10, max: 100 }),
      fc.array(fc.double({ min: 0, max: 400, noNaN: true }), { minLength: 1, maxLength: 200 }),
      (minMs, flushes) => {
        const pace = createPace(minMs);
        let before = pace.tickMs;
        for (const ms of flushes) {
          pace.took(ms);
          expect(pace.tickMs).toBeGreaterThanOrEqual(minMs);
          expect(pace.tickMs).toBeLessThanOrEqual(MAX_TICK_MS);
          expect(pace.tickMs).toBeGreaterThanOrEqual(before * 0.74);
          before = pace.tickMs;
        }
        for (let i = 0; i < 40; i++) pace.took(100);
        expect(pace.tickMs).toBeGreaterThan(0.9 * Math.max(minMs, 200));
        // Two calm seconds change nothing yet, many do.
        const wide = pace.tickMs;
        for (let ms = 0; ms + pace.tickMs < 2000; ms += pace.tickMs) pace.took(1);
        expect(pace.tickMs).toBe(wide);
        for (let i = 0; i < 2000; i++) pace.took(1);
        expect(pace.tickMs).toBe(minMs);
      },
    ),
    { numRuns: 50 },
  );
});

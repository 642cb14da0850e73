import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { type Comment, decodeDown, emptyRoom, LIMITS } from "#wire";
import { encodeDown } from "#wire/server";
import { createBuckets } from "../../server/gateway/buckets.ts";
import { createGather } from "../../server/gather.ts";
import { createLanes } from "../../server/room/lanes.ts";
import { createMirror } from "../../server/room/mirror.ts";

afterEach(() => {
  vi.useRealTimers();
});

const comment = (no: number): Comment => ({
  no,
  viewerId: "v",
  name: "n",
  role: "viewer",
  text: `c${no}`,
  count: 1,
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

test("[LANE1] R goes out at once, S as its latest, V and A with the tick", async () => {
  const out: string[] = [];
  const lanes = createLanes({
    publish: (bytes) => void out.push(decodeDown(bytes).kind),
    listeners: () => 1,
    chance: Math.random,
    nowMs: () => 0,
  });
  lanes.comments([comment(1)]);
  lanes.totals(encodeDown("totals", { version: 1, likes: 1, shares: 0 }));
  for (const version of [1, 2, 3]) lanes.state("d", stock(version));
  lanes.event(encodeDown("pinned", { offset: 1, sku: "s" }));
  expect(out).toEqual(["pinned"]);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(out).toEqual(["pinned", "stockChanged"]);
  lanes.tick();
  lanes.tick();
  expect(out).toEqual(["pinned", "stockChanged", "totals", "comments"]);
  lanes.stop();
});

test("[LANE2] the receipts of lane V balance: accepted = shown + skipped", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(120), { maxLength: 12 }),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      (sizes, chances) => {
        const frames: { accepted: number; skipped: number; comments: readonly Comment[] }[] = [];
        const lanes = createLanes({
          publish(bytes) {
            const frame = decodeDown(bytes);
            if (frame.kind === "comments") frames.push(frame);
          },
          listeners: () => 1,
          chance: () => chances.next().value as number,
          nowMs: () => 1,
        });
        let no = 0;
        for (const size of sizes) {
          lanes.comments(Array.from({ length: size }, () => comment(++no)));
          lanes.tick();
        }
        const shown = frames.flatMap((f) => f.comments.map((c) => c.no));
        expect(new Set(shown).size).toBe(shown.length);
        expect(shown).toEqual(shown.toSorted((a, b) => a - b));
        const accepted = frames.reduce((sum, f) => sum + f.accepted, 0);
        const skipped = frames.reduce((sum, f) => sum + f.skipped, 0);
        expect(accepted).toBe(no);
        expect(shown.length + skipped).toBe(accepted);
        expect(lanes.receipt).toEqual({ accepted, shown: shown.length, skipped });
        for (const f of frames)
          expect(f.comments.length).toBeLessThanOrEqual(LIMITS.maxCommentsPerTick);
      },
    ),
  );
});

test("[LANE3] every comment of a crowded tick has the same chance to be shown", () => {
  const counts = Array.from({ length: 100 }, () => 0);
  const lanes = createLanes({
    publish(bytes) {
      const frame = decodeDown(bytes);
      if (frame.kind !== "comments") return;
      for (const c of frame.comments) counts[c.no] = (counts[c.no] ?? 0) + 1;
    },
    listeners: () => 1,
    chance: Math.random,
    // The same text is merged within a second.
    nowMs: () => tick * 2000,
  });
  const ticks = 3000;
  let tick = 0;
  for (; tick < ticks; tick++) {
    lanes.comments(counts.map((_, no) => comment(no)));
    lanes.tick();
  }
  const expected = (ticks * LIMITS.maxCommentsPerTick) / 100;
  // Six standard deviations of a binomial: fails about once in 10⁶ runs.
  const slack = 6 * Math.sqrt(expected * (1 - LIMITS.maxCommentsPerTick / 100));
  for (const n of counts) expect(Math.abs(n - expected)).toBeLessThan(slack);
});

const nothing = (): void => undefined;
const entry = (offset: number) => ({
  id: `${offset}-0`,
  offset,
  fields: [["R", Buffer.from(encodeDown("pinned", { offset, sku: "s" }))] as const],
});

test("[ROOM1][I7] a catch-up is every event after the offset in order, or nothing at all", () => {
  fc.assert(
    fc.property(fc.nat(3000), fc.nat(3500), (published, from) => {
      const mirror = createMirror(
        { epoch: "e", state: emptyRoom(), orders: [], muted: [], kept: [], history: [] },
        {
          onEvent: nothing,
          onState: nothing,
          onTotals: nothing,
          onComments: nothing,
          onHidden: nothing,
          onModeration: nothing,
          onOrder: nothing,
          onKept: nothing,
        },
      );
      mirror.take(Array.from({ length: published }, (_, i) => entry(i + 1)));
      const events = mirror.eventsAfter(from);
      if (from > published) {
        expect(events).toBeUndefined();
        return;
      }
      if (events === undefined) {
        expect(published - from).toBeGreaterThan(2000);
        return;
      }
      const offsets = events.map((bytes) => {
        const frame = decodeDown(bytes);
        return frame.kind === "pinned" ? frame.offset : -1;
      });
      expect(offsets).toEqual(Array.from({ length: published - from }, (_, i) => from + 1 + i));
    }),
    { numRuns: 25 },
  );
});

test("[GATHER1] requests are answered each with its own answer, in batches, in order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(3), { maxLength: 60 }), async (pauses) => {
      const seen: number[] = [];
      let inFlight = 0;
      const gather = createGather<number, number>({
        maxBatch: 7,
        maxInFlight: 2,
        everyMs: 0,
        async send(batch) {
          expect(++inFlight).toBeLessThanOrEqual(2);
          expect(batch.length).toBeLessThanOrEqual(7);
          seen.push(...batch);
          await new Promise(setImmediate);
          inFlight--;
          return batch.map((n) => n * 10);
        },
      });
      const answers: Promise<number>[] = [];
      for (const [i, pause] of pauses.entries()) {
        answers.push(gather.ask(i));
        if (pause === 0) await new Promise(setImmediate);
      }
      expect(await Promise.all(answers)).toEqual(pauses.map((_, i) => i * 10));
      expect(seen).toEqual(pauses.map((_, i) => i));
      expect(gather.idle).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test("[GATHER2] a failed batch rejects all of its requests and blocks no later one", async () => {
  let calls = 0;
  const gather = createGather<number, number>({
    maxBatch: 2,
    maxInFlight: 1,
    everyMs: 0,
    async send(batch) {
      if (++calls === 1) throw new Error("down");
      return [...batch];
    },
  });
  const all = await Promise.allSettled([1, 2, 3].map((n) => gather.ask(n)));
  expect(all.map((r) => r.status)).toEqual(["rejected", "rejected", "fulfilled"]);
});

test("[RATE1] a bucket gives its burst at once, then its rate, and never more", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.nat(500), { maxLength: 200 }),
      (burst, rate, gaps) => {
        const buckets = createBuckets(burst, rate);
        let [nowMs, taken] = [0, 0];
        for (const gap of gaps) {
          nowMs += gap;
          if (buckets.take("k", nowMs) === 0) taken++;
          expect(taken).toBeLessThanOrEqual(burst + (nowMs / 1000) * rate + 1e-6);
        }
      },
    ),
  );
});

test("[RATE1] buckets that are full again are forgotten", () => {
  const buckets = createBuckets(1, 1000);
  for (let i = 0; i < 20_000; i++) buckets.take(`k${i}`, i);
  expect(buckets.size).toBeLessThan(8200);
});

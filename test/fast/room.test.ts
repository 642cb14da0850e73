import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { decodeDown, emptyRoom } from "#wire";
import { encodeDown } from "#wire/server";
import { createBuckets } from "../../server/gateway/buckets.ts";
import { createGather } from "../../server/gather.ts";
import { createMirror, type Mirror } from "../../server/room/mirror.ts";

afterEach(() => {
  vi.useRealTimers();
});

const nothing = (): void => undefined;
const entry = (offset: number) => ({
  id: `${offset}-0`,
  offset,
  fields: [["R", Buffer.from(encodeDown("pinned", { offset, sku: "s" }))] as const],
});

const mirrorOf = (): Mirror =>
  createMirror(
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

test("[ROOM10] however many catch up from one offset, their frames are encoded once, until something changes", () => {
  const mirror = mirrorOf();
  const events = Array.from({ length: 50 }, (_, i) => entry(i + 1));
  mirror.take(events);
  const [catchUp, standing] = [mirror.eventsAfter(40), mirror.standing(1)];
  expect(catchUp).toHaveLength(10);
  expect(standing.map((bytes) => decodeDown(bytes).kind)).toEqual([
    "viewersChanged",
    "totals",
    "comments",
  ]);
  for (let i = 0; i < 3; i++) {
    expect(mirror.eventsAfter(40)).toBe(catchUp);
    expect(mirror.standing(1)).toBe(standing);
    expect(mirror.snapshot()).toBe(mirror.snapshot());
  }
  mirror.take([entry(51)]);
  expect(mirror.eventsAfter(40)).toHaveLength(11);
  expect(mirror.standing(1)).not.toBe(standing);
});

test("[ROOM1][I7] a catch-up is every event after the offset in order, or nothing at all", () => {
  fc.assert(
    fc.property(fc.nat(3000), fc.nat(3500), (published, from) => {
      const mirror = mirrorOf();
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

test("[GATHER3] enough of them leave at once while nothing is under way; what comes then waits for the turn, or for a full batch", async () => {
  const sizes: number[] = [];
  const gather = createGather<number, number>({
    maxBatch: 6,
    enough: 2,
    maxInFlight: 2,
    everyMs: 0,
    async send(batch) {
      sizes.push(batch.length);
      await new Promise(setImmediate);
      return [...batch];
    },
  });
  const asked = [1, 2].map((n) => gather.ask(n));
  expect(sizes).toEqual([2]);
  asked.push(...[3, 4, 5, 6, 7].map((n) => gather.ask(n)));
  expect(sizes).toEqual([2]);
  asked.push(gather.ask(8));
  expect(sizes).toEqual([2, 6]);
  asked.push(gather.ask(9));
  expect(await Promise.all(asked)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(sizes).toEqual([2, 6, 1]);
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

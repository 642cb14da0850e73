/** What a client says it has seen, and when: on a clock of its own, looked at every half second and at every tick, as `connect` does. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { LIMITS } from "#wire";
import { createSeen } from "../../client-sdk/seen.ts";

function client(chance: () => number) {
  const room = { ms: 0, tick: 0, isLate: false };
  const said: { readonly tick: number; readonly atMs: number }[] = [];
  const seen = createSeen({
    nowMs: () => room.ms,
    chance,
    tick: () => room.tick,
    isLate: () => room.isLate,
    say: (tick) => said.push({ tick, atMs: room.ms }),
  });
  /** A tick every `tickMs`, or none. */
  const pass = (ms: number, tickMs = 0): void => {
    for (const end = room.ms + ms; room.ms < end;) {
      room.ms += 50;
      const isTick = tickMs > 0 && room.ms % tickMs === 0;
      if (isTick) room.tick++;
      if (isTick || room.ms % 500 === 0) seen.look();
    }
  };
  seen.begin();
  return { room, said, seen, pass };
}

test("[SDK23] what was seen is said within its time, rarely while all is well, soon after coming in, and soon while ticks come late", () => {
  const chances = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const tickMs = fc.integer({ min: 1, max: 40 }).map((n) => n * 50);
  fc.assert(
    fc.property(chances, tickMs, (chance, everyMs) => {
      const { room, said, seen, pass } = client(() => chance);
      pass(60_000, everyMs);
      expect(said[0]?.atMs).toBeLessThanOrEqual(everyMs + 2000);
      for (const [i, { atMs }] of said.slice(1).entries()) {
        const waitedMs = atMs - (said[i]?.atMs ?? 0);
        expect(waitedMs).toBeLessThanOrEqual(LIMITS.seenEveryMs + everyMs);
        expect(waitedMs).toBeGreaterThan(LIMITS.seenEveryMs * 0.7);
      }
      // Late from now on: said within the allowance that the server gives to a second late echo.
      room.isLate = true;
      const before = said.length;
      pass(10_000, everyMs);
      expect(said.length - before).toBeGreaterThanOrEqual(Math.floor(10_000 / (2000 + everyMs)));
      // That it is over is said soon as well, and then rarely again.
      room.isLate = false;
      pass(3000 + everyMs, everyMs);
      expect(said.at(-1)?.tick).toBeGreaterThan(said.at(-2)?.tick ?? 0);
      const calm = said.length;
      pass(3000, everyMs);
      expect(said.length).toBe(calm);
      seen.begin();
      pass(2000 + everyMs, everyMs);
      expect(said.length).toBe(calm + 1);
    }),
  );
});

test("[SDK23] nothing is said twice, and nothing where nobody talks; the last words of a conversation are", () => {
  const { room, said, pass } = client(() => 0.5);
  pass(30_000);
  expect(said).toEqual([]);
  pass(1000, 100);
  pass(60_000);
  expect(said.at(-1)?.tick).toBe(room.tick);
  const { length } = said;
  pass(60_000);
  expect(said.length).toBe(length);
});

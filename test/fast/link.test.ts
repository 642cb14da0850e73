import fc from "fast-check";
import { expect, test } from "vitest";
import { CLOSES } from "#wire";
import { createClock } from "../../client-sdk/clock.ts";
import { backoffMs, type LinkEvent, type LinkState, step } from "../../client-sdk/link.ts";

const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const linkEvent: fc.Arbitrary<LinkEvent> = fc.oneof(
  fc.record({ on: fc.constantFrom("connect", "joined", "delayOver", "lost") }),
  fc.record({
    on: fc.constant("closed"),
    code: fc.oneof(fc.constantFrom(1000, 1001, 1006), fc.integer({ min: 4000, max: 4299 })),
    jitter: unit,
    delayMs: fc.nat(60_000),
  }),
  fc.record({ on: fc.constant("goaway"), jitter: unit, delayMs: fc.nat(10_000) }),
  fc.record({ on: fc.constant("disconnect") }),
) as fc.Arbitrary<LinkEvent>;

/** Sockets and delays alive after an effect. */
const after = (effect: string, sockets: number, delays: number): [number, number] => {
  if (effect === "open") return [sockets + 1, delays];
  if (effect === "close") return [0, delays];
  if (effect === "switch") return [sockets - 1, delays];
  return [sockets, effect === "startDelay" ? delays + 1 : 0];
};

/** A socket that is not there cannot close, a delay that is not running cannot end. */
const canHappen = ({ on }: LinkEvent, sockets: number, delays: number): boolean => {
  if (on === "closed") return sockets > 0;
  if (on === "lost") return sockets === 2;
  return on !== "delayOver" || delays > 0;
};
const SOCKETS = { offline: 0, waiting: 0, ended: 0, connecting: 1, live: 1, leaving: 1, moving: 2 };

test("[SDK2] any storm of events keeps at most one delay alive, and a second socket only while it moves", () => {
  fc.assert(
    fc.property(fc.array(linkEvent, { maxLength: 80 }), (events) => {
      let state: LinkState = { at: "offline" };
      let [sockets, delays] = [0, 0];
      for (const event of events) {
        if (!canHappen(event, sockets, delays)) continue;
        if (event.on === "closed" || event.on === "lost") sockets--;
        if (event.on === "delayOver") delays--;
        const [next, ...effects]: readonly [LinkState, ...string[]] = step(state, event);
        for (const effect of effects) [sockets, delays] = after(effect, sockets, delays);
        state = next;
        expect(sockets).toBe(SOCKETS[state.at]);
        expect(delays).toBe(state.at === "waiting" || state.at === "leaving" ? 1 : 0);
      }
    }),
    { numRuns: 1000 },
  );
});

/** Every state of a move, by what happens in it. */
const half = { jitter: 0.5 };
const MOVES: readonly (readonly [from: LinkState, on: LinkEvent, to: readonly unknown[]])[] = [
  [
    { at: "live" },
    { on: "goaway", ...half, delayMs: 1000 },
    [{ at: "leaving", attempt: 0, delayMs: 500 }, "startDelay"],
  ],
  [
    { at: "leaving", attempt: 0, delayMs: 5 },
    { on: "delayOver" },
    [{ at: "moving", attempt: 0 }, "open"],
  ],
  [{ at: "leaving", attempt: 0, delayMs: 5 }, { on: "goaway", ...half, delayMs: 9 }, []],
  [
    { at: "leaving", attempt: 0, delayMs: 5 },
    { on: "closed", code: 1006, jitter: 0, delayMs: 0 },
    [{ at: "waiting", attempt: 0, delayMs: 0 }, "stopDelay", "startDelay"],
  ],
  [{ at: "moving", attempt: 0 }, { on: "joined" }, [{ at: "live" }, "switch"]],
  [{ at: "moving", attempt: 2 }, { on: "lost" }, [{ at: "connecting", attempt: 2 }]],
  [
    { at: "moving", attempt: 0 },
    { on: "closed", code: 4100, jitter: 0, delayMs: 70 },
    [{ at: "leaving", attempt: 1, delayMs: 70 }, "startDelay"],
  ],
  [
    { at: "moving", attempt: 0 },
    { on: "closed", code: 4013, jitter: 0, delayMs: 0 },
    [{ at: "ended", code: 4013 }, "close", "stopDelay"],
  ],
  [
    { at: "moving", attempt: 0 },
    { on: "disconnect" },
    [{ at: "ended", code: 1000 }, "close", "stopDelay"],
  ],
];
test.each(MOVES)("[SDK11] make before break: %j, then %j", (from, on, to) => {
  expect(step(from, on)).toEqual(to.length === 0 ? [from] : to);
});

test("[SDK2] close codes decide: final ends, later waits at least as asked, now comes back at once", () => {
  const live: LinkState = { at: "live" };
  const closedWith = (code: number, delayMs: number, jitter: number): LinkState =>
    step(live, { on: "closed", code, delayMs, jitter })[0];
  expect(closedWith(4010, 0, 0)).toEqual({ at: "ended", code: 4010 });
  expect(closedWith(4100, 7000, 0)).toEqual({ at: "waiting", attempt: 0, delayMs: 7000 });
  expect(closedWith(4200, 7000, 0)).toEqual({ at: "waiting", attempt: 0, delayMs: 0 });
});

test("[SDK3] backoff is full jitter under a doubling cap", () => {
  fc.assert(
    fc.property(fc.nat(60), unit, (attempt, jitter) => {
      const ms = backoffMs(attempt, jitter);
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThanOrEqual(Math.min(20_000, 300 * 2 ** attempt));
      expect(backoffMs(attempt, 0)).toBe(0);
    }),
  );
});

test("[SDK4] the clock is off by at most half of the shortest round trip", () => {
  const trips = fc.array(fc.tuple(fc.nat(2000), fc.nat(2000)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(trips, fc.integer({ min: -1e9, max: 1e9 }), (pairs, offMs) => {
      let localMs = 1e12;
      const clock = createClock(() => localMs);
      for (const [upMs, downMs] of pairs) {
        const sentAtMs = localMs;
        const serverAtMs = localMs + upMs + offMs;
        localMs += upMs + downMs;
        clock.probe(sentAtMs, localMs, serverAtMs);
      }
      const shortestMs = Math.min(...pairs.map(([a, b]) => a + b));
      expect(Math.abs(clock.now() - (localMs + offMs))).toBeLessThanOrEqual(shortestMs / 2 + 1e-3);
    }),
  );
});

test("[SDK21] at the door of a full server the tries come as often as it says, however many there were", () => {
  let link: LinkState = { at: "connecting", attempt: 0 };
  for (let tries = 0; tries < 50; tries++) {
    [link] = step(link, {
      on: "closed",
      code: CLOSES.overloaded.code,
      jitter: 0.99,
      delayMs: 7000,
    });
    expect(link).toMatchObject({ at: "waiting" });
    expect("delayMs" in link && link.delayMs).toBeLessThan(7300);
    [link] = step(link, { on: "delayOver" });
  }
});

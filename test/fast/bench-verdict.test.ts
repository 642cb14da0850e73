/** Go or no-go after a rehearsal: one broken condition is enough, and what was not measured is not proved. */
import { expect, test } from "vitest";
import type { Outcome } from "../../load/swarm/drive.ts";
import type { DropBooks } from "../../load/shop.ts";
import { verdictOn, verdictText } from "../../load/verdict.ts";

const times = (p99: number) => ({ count: 10, p50: p99 / 2, p99, max: p99 });
const NOTHING = { count: 0, p50: null, p99: null, max: null };

const GOOD: Outcome = {
  viewers: 100,
  joined: 100,
  seconds: 10,
  joinMs: times(20),
  commentMs: times(20),
  fanoutMs: times(120),
  lagMs: times(5),
  holds: { asked: 100, answered: 100, byResult: { held: 10, soldOut: 90 }, tookMs: times(40) },
  comments: { sent: 50, accepted: 48, tooFast: 2, muted: 0, blocked: 0 },
  likes: { sent: 500, applied: 500 },
  seen: { events: 400, gaps: 0, lost: 0, backwards: 0, unbalanced: 0 },
  messages: 9000,
  closes: {},
  faults: {},
  generatorCpuSeconds: 1,
};
const BOOKS: DropBooks = {
  dropId: "d",
  state: "soldOut",
  startsAtMs: 0,
  allotted: 10,
  restocked: 0,
  available: 0,
  held: 10,
  sold: 0,
  writtenOff: 0,
};
const wordOn = (outcome: Partial<Outcome>, books: Partial<DropBooks> = {}): string =>
  verdictOn({ ...GOOD, ...outcome }, { ...BOOKS, ...books }, 10).word;

test("[VERDICT1] go, in both languages, when every condition holds", () => {
  const verdict = verdictOn(GOOD, BOOKS, 10);
  expect(verdict.word).toBe("go");
  expect(verdictText(verdict)).toContain("可以开播 GO");
});

test("[VERDICT2] no-go for one unit too many, books that do not balance, a viewer outside, a like lost", () => {
  const holds = { asked: 100, answered: 100, byResult: { held: 11 }, tookMs: times(40) };
  expect(wordOn({ holds })).toBe("noGo");
  expect(wordOn({}, { available: 1 })).toBe("noGo");
  expect(wordOn({}, { held: 9, sold: 0, available: 1 })).toBe("noGo");
  expect(wordOn({ joined: 99 })).toBe("noGo");
  expect(wordOn({ likes: { sent: 500, applied: 499 } })).toBe("noGo");
  expect(wordOn({ seen: { ...GOOD.seen, lost: 1 } })).toBe("noGo");
});

test("[VERDICT3] what was not measured is not proved: comments without answers, and none shown, are a no-go", () => {
  const comments = { sent: 50, accepted: 0, tooFast: 0, muted: 0, blocked: 0 };
  expect(wordOn({ comments, fanoutMs: NOTHING })).toBe("noGo");
  expect(wordOn({ fanoutMs: NOTHING }), "even if the generator was late").toBe("noGo");
  expect(wordOn({ comments: { ...comments, sent: 0 }, fanoutMs: NOTHING }), "none sent").toBe("go");
});

test("[VERDICT4] late answers measured by a late generator: cannot tell; by a quick one: no-go", () => {
  expect(wordOn({ fanoutMs: times(2000), lagMs: times(80) })).toBe("cannotTell");
  expect(wordOn({ fanoutMs: times(2000) })).toBe("noGo");
  expect(wordOn({ fanoutMs: times(2000), lagMs: times(80), joined: 99 })).toBe("noGo");
});

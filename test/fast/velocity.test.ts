import { expect, test } from "vitest";
import type { Drop } from "#wire";
import { type Buyer, createVelocity, VELOCITY } from "../../server/gateway/velocity.ts";

const STARTS_AT_MS = 1_000_000;
const drop = { startsAtMs: STARTS_AT_MS, mode: "fcfs", restockEpoch: 0 } as Drop;
const NETWORK = "203.0.113.7";

/** A node whose clocks a test sets. */
const node = () => {
  const clock = { nowMs: 0, redisMs: STARTS_AT_MS + 60_000 };
  const velocity = createVelocity({ nowMs: () => clock.nowMs, redisNowMs: () => clock.redisMs });
  return { clock, velocity };
};
const buyer = (viewerId: string, sinceMs = 0): Buyer => ({ show: "s", viewerId, sinceMs });

test("[FLAG1] an ordinary buyer has no flag, from a public address or a private one", () => {
  const { velocity } = node();
  for (let i = 0; i < VELOCITY.viewersPerNetwork; i++)
    expect(velocity.look(buyer(`v${i}`), NETWORK, drop)).toBe("");
  for (let i = 0; i < 1000; i++) expect(velocity.look(buyer(`p${i}`), undefined, drop)).toBe("");
});

test("[FLAG2] many viewers, or many tries, from one public network are odd; a minute later they are forgotten", () => {
  const { clock, velocity } = node();
  for (let i = 0; i < VELOCITY.viewersPerNetwork; i++) velocity.look(buyer(`v${i}`), NETWORK, drop);
  expect(velocity.look(buyer("v0"), NETWORK, drop)).toBe("");
  expect(velocity.look(buyer("one more"), NETWORK, drop)).toBe("manyViewers");
  expect(velocity.look(buyer("neighbour"), "203.0.113.8", drop)).toBe("");
  for (let i = 0; i < VELOCITY.holdsPerNetwork; i++) velocity.look(buyer("v0"), NETWORK, drop);
  expect(velocity.look(buyer("v0"), NETWORK, drop)).toBe("manyViewers,manyHolds");
  clock.nowMs += 2 * VELOCITY.windowMs;
  expect(velocity.look(buyer("v0"), NETWORK, drop)).toBe("");
});

test("[FLAG3] quicker than a person after the opening, or new just before it: odd then, and not later", () => {
  const { clock, velocity } = node();
  const old = buyer("ann");
  const young = buyer("bob", STARTS_AT_MS - VELOCITY.newMs + 1);
  clock.redisMs = STARTS_AT_MS + VELOCITY.reactionMs - 1;
  expect(velocity.look(old, undefined, drop)).toBe("instant");
  expect(velocity.look(young, undefined, drop)).toBe("instant,newViewer");
  expect(velocity.look(old, undefined, { ...drop, mode: "random" })).toBe("");
  clock.redisMs = STARTS_AT_MS + VELOCITY.reactionMs;
  expect(velocity.look(old, undefined, drop)).toBe("");
  expect(velocity.look(young, undefined, drop)).toBe("newViewer");
  expect(velocity.look(buyer("late", STARTS_AT_MS + 10), undefined, drop)).toBe("");
  clock.redisMs = STARTS_AT_MS + VELOCITY.newMs;
  expect(velocity.look(young, undefined, drop)).toBe("");
});

test("[FLAG4] who is refused again and again is odd, and only they", () => {
  const { clock, velocity } = node();
  for (let i = 0; i < VELOCITY.refusals; i++) {
    expect(velocity.look(buyer("ann"), undefined, drop)).toBe("");
    velocity.refused(buyer("ann"));
  }
  expect(velocity.look(buyer("ann"), undefined, drop)).toBe("insistent");
  expect(velocity.look(buyer("bob"), undefined, drop)).toBe("");
  clock.nowMs += 2 * VELOCITY.windowMs;
  expect(velocity.look(buyer("ann"), undefined, drop)).toBe("");
});

/** When buyers go before everything else, and for how long. */
import { expect, test } from "vitest";
import { createRushWatch } from "../../server/gateway/rush.ts";
import { createTurns, type Frame, type Topic } from "../../server/room/turns.ts";

const frame = (n: number): Frame => ({
  bytes: Uint8Array.of(n),
  text: undefined,
  deflated: undefined,
});

test("[SHARD5] while buyers rush nothing is published before their answers, for 150 ms at most", () => {
  const loop = { nowMs: 0, isRush: true, due: [] as (() => void)[] };
  const published: number[] = [];
  const onTurn = (fn: () => void): (() => void) => {
    loop.due.push(fn);
    return () => undefined;
  };
  const turns = createTurns({
    publish: (_, message) => void published.push(Number(message[0])),
    nextTurn: onTurn,
    isRush: () => loop.isRush,
    afterMoment: onTurn,
    nowMs: () => loop.nowMs,
  });
  const topic: Topic = {
    name: "a shard",
    encoding: "packed",
    size: 10,
    urgent: [],
    later: [],
    onLaterDone: () => undefined,
    turn: -1,
  };
  const turn = (): void => {
    for (const fn of loop.due.splice(0)) fn();
  };

  turns.later(topic, frame(2));
  turns.urgent(topic, frame(1));
  turn();
  expect(published).toEqual([]);
  loop.isRush = false;
  turn();
  expect(published, "what is urgent first").toEqual([1, 2]);

  loop.isRush = true;
  turns.urgent(topic, frame(3));
  loop.nowMs = 149;
  turn();
  expect(published).toEqual([1, 2]);
  loop.nowMs = 150;
  turn();
  expect(published).toEqual([1, 2, 3]);
  turns.urgent(topic, frame(4));
  turn();
  expect(published, "a rush that lasts holds nothing up any more").toEqual([1, 2, 3, 4]);

  loop.isRush = false;
  turns.urgent(topic, frame(5));
  turn();
  loop.isRush = true;
  turns.urgent(topic, frame(6));
  expect(published, "another rush").toEqual([1, 2, 3, 4, 5]);
  turns.urgent(topic, frame(7), true);
  turn();
  expect(published, "what buyers wait for takes along what waits").toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test("[SHARD6] a rush is many buyers at once or one that waits for a batch; a lone buyer on a quiet evening is none", () => {
  const buying = { holdsAsked: 0, refusedHere: 0, waiting: 0 };
  let nowMs = 0;
  const isRush = createRushWatch(
    () => buying,
    () => nowMs,
  );
  expect(isRush()).toBe(false);
  buying.holdsAsked += 500;
  nowMs += 60_000;
  expect(isRush(), "over a minute").toBe(false);
  buying.holdsAsked += 1;
  nowMs += 2;
  expect(isRush(), "one of them").toBe(false);
  buying.refusedHere += 150;
  nowMs += 2;
  expect(isRush(), "within a moment").toBe(true);
  expect(isRush(), "whoever asks again").toBe(true);
  nowMs += 6;
  expect(isRush(), "they have their answers").toBe(false);
  buying.waiting = 1;
  expect(isRush()).toBe(true);
});

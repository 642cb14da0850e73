import { expect, test } from "vitest";
import { emptyRoom, type Order } from "#wire";
import type { OpenedShow } from "../../server/room/open.ts";
import { createRooms } from "../../server/room/rooms.ts";
import { afterMoment, createTurns, nextLoopTurn } from "../../server/room/turns.ts";
import { until } from "../helpers/rooms.ts";

const orderOf = (holdId: string, dropId: string, state: Order["state"]): Order => ({
  holdId,
  dropId,
  quantity: 1,
  state,
  deadlineMs: 9e12,
  amountCents: 4900,
  orderId: "",
  version: 3,
  ticket: 0,
  discountCents: 0,
});

const opened = (epoch: string, orders: readonly Order[]): OpenedShow => ({
  epoch,
  state: emptyRoom(),
  orders: orders.map((order) => ["ann", order]),
  kept: [],
  muted: [],
  history: [],
  moderation: { rules: {}, shadowed: [], removed: [] },
  guarded: ["guarded"],
  lastId: "0-0",
});

/** Rooms on a Redis that tells what the test says, and that never answers a room that gives up its lease. */
function roomsOn(there: () => OpenedShow) {
  return createRooms({
    read: async () => there(),
    reader: { follow: () => () => undefined, stop: async () => undefined },
    journal: { note: () => undefined, knows: () => false, written: async () => undefined },
    reach: async () => true,
    writes: {
      comment: async () => [],
      react: async () => 0,
      presence: (_show, _node, { mode }) =>
        mode === "end"
          ? new Promise(() => undefined)
          : Promise.resolve({ viewers: 0, epoch: there().epoch, offset: 0, known: 0 }),
    },
    turns: createTurns({
      publish: () => undefined,
      nextTurn: nextLoopTurn,
      isRush: () => false,
      afterMoment,
      nowMs: () => performance.now(),
    }),
    node: "one",
    tickMs: 50,
    nowMs: () => Date.now(),
    chance: Math.random,
    onFannedOut: () => undefined,
  });
}

test("[ROOM11] a room of a history that is no more takes nobody in: the next one is opened at once, and tells what was lost", async () => {
  const kept = orderOf("kept", "plain", "held");
  let there = opened("before", [
    kept,
    orderOf("lost", "plain", "held"),
    orderOf("line", "plain", "waiting"),
    orderOf("paying", "plain", "paying"),
    orderOf("sold", "plain", "sold"),
    orderOf("guarded", "guarded", "held"),
  ]);
  const rooms = roomsOn(() => there);
  const first = await rooms.open("s");
  await until(() => first?.mirror.hasOrder("ann", "guarded"));
  there = opened("after", [kept]);
  await until(() => rooms.at("s") !== first);
  const second = await rooms.open("s");
  expect(second?.mirror.epoch).toBe("after");
  expect([...(second?.mirror.orders() ?? [])].map(([, o]) => `${o.holdId} ${o.state}`)).toEqual([
    "kept held",
    "lost cancelled",
    "line cancelled",
  ]);
  void second?.close();
});

import { afterAll, beforeAll, expect, test } from "vitest";
import type { HoldAnswer, Live } from "#sdk";
import { showKeys } from "../../server/redis/keys.ts";
import { checkHolds, checkLedger, liveDrops, readLedger } from "../helpers/books.ts";
import { type Gateway, startWorld, until, type World } from "../helpers/rooms.ts";

let world: World;
let one: Gateway;
let two: Gateway;
beforeAll(async () => {
  world = await startWorld();
  [one, two] = await Promise.all([world.gateway(), world.gateway()]);
});
afterAll(() => world.stop());

test("[FAULT1][I7][F11] a gateway that goes away mid-show: its viewers resume elsewhere with every event, in order", async () => {
  const show = await world.show();
  const leaving = await world.gateway();
  const lives = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      world.join({ ...leaving, url: leaving.url }, show, `v${i}`, {
        url: [leaving.url, one.url, two.url],
      }),
    ),
  );
  const pins = lives.map(() => [] as string[]);
  const resumed: (string | undefined)[] = [];
  lives.forEach((live, i) => {
    live.on("pinned", ({ skus }) => pins[i]?.push(skus.join() || "none"));
    live.on("connectionChanged", (c) => c.connection === "live" && resumed.push(c.resumed));
  });
  const expected: string[] = [];
  const toggle = async (): Promise<void> => {
    if (expected.length % 2 === 0) await world.shows.pin(show, "tea");
    else await world.shows.unpin(show, "tea");
    expected.push(expected.length % 2 === 0 ? "tea" : "none");
  };
  for (let i = 0; i < 4; i++) await toggle();
  const stopping = leaving.stop();
  for (let i = 0; i < 30; i++) await toggle();
  await stopping;
  for (let i = 0; i < 4; i++) await toggle();
  await until(() => pins.every((list) => list.length === expected.length), 8000);
  for (const list of pins) expect(list).toEqual(expected);
  expect(resumed).toEqual(lives.map(() => "caughtUp"));
}, 30_000);

test("[FAULT2] likes that were on their way when a gateway went away are counted exactly once", async () => {
  const show = await world.show();
  const leaving = await world.gateway();
  const lives = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      world.join(leaving, show, `v${i}`, { url: [leaving.url, one.url] }),
    ),
  );
  let tapped = 0;
  const tap = (): void => {
    for (const live of lives) {
      live.like(3);
      tapped += 3;
    }
  };
  const tapping = setInterval(tap, 50);
  await new Promise((resolve) => setTimeout(resolve, 1200));
  await leaving.stop();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  clearInterval(tapping);
  await until(
    async () => Number(await world.store.hget(showKeys(show).meta, "likes")) === tapped,
    8000,
  );
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(Number(await world.store.hget(showKeys(show).meta, "likes"))).toBe(tapped);
}, 30_000);

test("[FAULT3][I2][I3][F7] Redis is killed in the middle of a drop: no acknowledged hold is missing, none is doubled", async () => {
  const show = await world.show(400);
  const dropId = await world.drop(show, 400, { perBuyerLimit: 99, holdMs: 600_000 });
  const buyers = await Promise.all(
    Array.from({ length: 60 }, (_, i) => world.join(i % 2 === 0 ? one : two, show, `b${i}`)),
  );
  const answers = new Map<string, HoldAnswer>();
  const buy = async (live: Live, b: number): Promise<void> => {
    for (let n = 0; n < 6; n++) {
      const key = `b${b}-${n}`;
      // What is not answered is asked again with the same key, as a person would tap again.
      for (;;) {
        try {
          answers.set(key, await live.hold(dropId, { key }));
          break;
        } catch (fault) {
          expect(fault).toMatchObject({ name: "SdkFault", retryable: true });
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  };
  const buying = Promise.all(buyers.map(buy));
  await new Promise((resolve) => setTimeout(resolve, 300));
  await world.redis.kill("SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await world.redis.restart();
  await buying;

  const kept = await world.store.hgetall(showKeys(show).holds);
  const acknowledged = [...answers].filter(([, a]) => a.result === "held").map(([key]) => key);
  expect(acknowledged).toHaveLength(360);
  for (const key of acknowledged) expect(kept[`${key.split("-")[0]}|${key}`], key).toBeDefined();
  expect(Object.keys(kept)).toHaveLength(acknowledged.length);
  const moves = await readLedger(world.store, show);
  const drops = await liveDrops(world.store, show);
  checkLedger(moves, drops);
  checkHolds(moves, false);
  expect(moves.filter((move) => move.kind === "held")).toHaveLength(acknowledged.length);
  expect(drops).toMatchObject([{ dropId, available: 40, held: 360 }]);
}, 60_000);

test("[FAULT4][F12] Redis stands still for 3 s: buyers wait and get their answer, once each", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 10);
  const lives = await Promise.all(
    Array.from({ length: 20 }, (_, i) => world.join(i % 2 === 0 ? one : two, show, `v${i}`)),
  );
  await world.redis.kill("SIGSTOP");
  const asked = Promise.all(lives.map((live, i) => live.hold(dropId, { key: `k${i}` })));
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await world.redis.kill("SIGCONT");
  const answers = await asked;
  expect(answers.filter((a) => a.result === "held")).toHaveLength(10);
  expect(answers.filter((a) => a.result === "soldOut")).toHaveLength(10);
  expect(Object.keys(await world.store.hgetall(showKeys(show).holds))).toHaveLength(10);
}, 30_000);

const handles = (): number =>
  process.getActiveResourcesInfo().filter((r) => r === "Timeout").length;

test("[SDK10] close leaves no timer and no socket behind", async () => {
  const show = await world.show();
  const live = await world.join(one, show, "ann");
  live.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const before = handles();
  const other = await world.join(one, show, "bob");
  expect(handles()).toBeGreaterThan(before);
  other.close();
  await until(() => handles() <= before);
  await expect(other.comment("too late")).rejects.toMatchObject({ code: "closed" });
});

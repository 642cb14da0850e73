/** Lane A: likes and shares are exact in the end, however they were sent. */
import { expect } from "vitest";
import { CLOSES, encodeUp } from "#wire";
import { until } from "../helpers/rooms.ts";
import { type Stage, stageOf } from "./runtime.ts";

const scenario = stageOf();

const counted = (s: Stage, likes: number, shares = 0): Promise<unknown> =>
  until(async () => {
    const booked = await s.booked();
    return Number(booked["likes"] ?? 0) >= likes && Number(booked["shares"] ?? 0) >= shares;
  }, 15_000);
/** No more than that, also a while later. */
const exactly = async (s: Stage, likes: number, shares = 0): Promise<void> => {
  await counted(s, likes, shares);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const { likes: l = 0, shares: sh = 0 } = await s.booked();
  expect([Number(l), Number(sh)]).toEqual([likes, shares]);
};

scenario("[SCA1] every tap of a crowd counts once", async (s) => {
  const crowd = await s.crowd(12);
  let [likes, shares] = [0, 0];
  for (let round = 0; round < 20; round++)
    for (const { live } of crowd) {
      const n = s.chance.below(5);
      live.like(n);
      likes += n;
      if (s.chance.hits(0.1)) {
        live.share();
        shares++;
      }
    }
  await exactly(s, likes, shares);
});

scenario("[SCA2] taps while the network comes and goes count once", async (s) => {
  const cable = await s.cable(s.one);
  const { live, seen } = await s.viewer("ann", { at: cable });
  let likes = 0;
  for (let cuts = 1; cuts <= 6; cuts++) {
    for (let i = 0; i < 5; i++) {
      live.like(3);
      likes += 3;
      await new Promise((resolve) => setTimeout(resolve, s.chance.below(150)));
    }
    cable.cut();
    await until(() => seen.resumes.length >= cuts);
  }
  await exactly(s, likes);
});

scenario(
  "[SCA3] a batch whose confirmation was lost and that is sent again at the other node counts once",
  async (s) => {
    const one = await s.greeted("ann", { client: "phone" });
    one.ask("react", { seq: 1, likes: 7, shares: 1 });
    await until(() => one.heard("reacted").length > 0);
    const two = await s.greeted("ann", { client: "phone", at: s.two });
    two.ask("react", { seq: 1, likes: 7, shares: 1 });
    two.ask("react", { seq: 2, likes: 5, shares: 0 });
    await until(() => two.heard("reacted").length === 2);
    await exactly(s, 12, 1);
  },
);

scenario("[SCA4] a frame that comes three times at once counts once", async (s) => {
  const raw = await s.greeted("ann");
  for (const seq of [1, 1, 1, 2, 2, 1]) raw.ask("react", { seq, likes: 10 * seq, shares: 0 });
  await until(() => raw.heard("reacted").length === 6);
  await exactly(s, 30);
});

scenario("[SCA5] an older batch after a newer one counts for nothing", async (s) => {
  const raw = await s.greeted("ann");
  raw.ask("react", { seq: 5, likes: 5, shares: 0 });
  raw.ask("react", { seq: 3, likes: 300, shares: 0 });
  await until(() => raw.heard("reacted").length === 2);
  await exactly(s, 5);
});

scenario("[SCA6] the greatest batch counts, one more is refused with badField", async (s) => {
  const raw = await s.greeted("ann");
  raw.ask("react", { seq: 1, likes: 1000, shares: 1000 });
  raw.ask("react", { seq: 2, likes: 0, shares: 0 });
  await until(() => raw.heard("reacted").length === 2);
  raw.send(encodeUp("react", { seq: 3, likes: 1001, shares: 0 }));
  expect((await raw.closed).code).toBe(CLOSES.badField.code);
  await exactly(s, 1000, 1000);
});

scenario("[SCA7] thousands of taps go out in lawful portions", async (s) => {
  const { live } = await s.viewer("ann");
  live.like(4321);
  live.like(0);
  await exactly(s, 4321);
});

scenario("[SCA8] two tabs of one viewer are two clients, and each tap counts", async (s) => {
  const tabs = await Promise.all([s.viewer("ann"), s.viewer("ann", { at: s.two })]);
  for (const { live } of tabs) live.like(11);
  await exactly(s, 22);
});

scenario("[SCA9] taps at a node that drains arrive, once", async (s) => {
  const leaving = await s.gateway();
  const viewers = await Promise.all(
    [0, 1, 2, 3].map((i) => s.viewer(`v${i}`, { at: [leaving, s.two] })),
  );
  let likes = 0;
  const tap = (): void => {
    for (const { live } of viewers) {
      live.like(2);
      likes += 2;
    }
  };
  const tapping = setInterval(tap, 60);
  await new Promise((resolve) => setTimeout(resolve, 700));
  await leaving.stop();
  await until(() => viewers.every(({ live }) => live.state.connection === "live"));
  clearInterval(tapping);
  await exactly(s, likes);
});

scenario("[SCA10] own taps show at once, and never twice when the total comes", async (s) => {
  const [ann, bob] = [await s.viewer("ann"), await s.viewer("bob")];
  const told: number[] = [];
  ann.live.on("liked", ({ likes }) => told.push(likes));
  for (let i = 0; i < 10; i++) {
    ann.live.like();
    await new Promise((resolve) => setTimeout(resolve, 90));
  }
  await until(() => bob.live.state.likes === 10);
  await until(() => ann.live.state.likes === 10);
  expect(told[0]).toBe(1);
  expect(Math.max(...told)).toBeLessThanOrEqual(10);
});

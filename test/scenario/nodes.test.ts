/** Nodes that stop, are killed or are new: viewers go on elsewhere, and the counts tell the truth. */
import { expect } from "vitest";
import { CLOSES } from "#wire";
import { showKeys } from "../../server/redis/keys.ts";
import { until } from "../helpers/rooms.ts";
import { stageOf, type Viewer } from "./runtime.ts";

const scenario = stageOf();
const live = (viewers: readonly Viewer[]): boolean =>
  viewers.every((v) => v.live.state.connection === "live");

scenario(
  "[SCN1] a node that is killed: its viewers resume on the other with every event and every tap",
  async (s) => {
    const dying = await s.killable();
    const crowd = await Promise.all(
      Array.from({ length: 12 }, (_, i) => s.viewer(`v${i}`, { at: [dying, s.two] })),
    );
    for (const v of crowd) v.live.like(2);
    await s.happen(5);
    dying.kill();
    await s.happen(15);
    await until(() => crowd.every(({ seen }) => seen.resumes.length > 0) && live(crowd), 15_000);
    for (const { seen } of crowd) expect(seen.resumes).toEqual(["caughtUp"]);
    await until(async () => (await s.booked())["likes"] === "24", 10_000);
  },
);

scenario(
  "[SCN2] a node killed in the middle of a rush: same key, same hold, and not one unit twice",
  async (s) => {
    const dying = await s.killable();
    const dropId = await s.world.drop(s.show, 10);
    const crowd = await Promise.all(
      Array.from({ length: 20 }, (_, i) => s.viewer(`v${i}`, { at: [dying, s.two] })),
    );
    const asked = crowd.map(({ live: buyer }, i) => buyer.hold(dropId, { key: `key-${i}` }));
    await new Promise((resolve) => setTimeout(resolve, s.chance.below(8)));
    dying.kill();
    const answers = await Promise.all(asked);
    expect(answers.filter((a) => a.result === "held")).toHaveLength(10);
    const holds = Object.keys(await s.world.store.hgetall(showKeys(s.show).holds));
    const told = answers.flatMap((a, i) => (a.result === "held" ? [`v${i}|key-${i}`] : []));
    expect(holds.sort()).toEqual(told.sort());
  },
);

scenario(
  "[SCN3] a killed node's viewers leave the count as a block, once they are counted elsewhere",
  async (s) => {
    const dying = await s.killable();
    const [gone, back] = [
      await s.crowd(5, { at: dying }),
      await s.viewer("back", { at: [dying, s.two] }),
    ];
    const watcher = await s.viewer("watcher");
    await until(() => watcher.live.state.viewers === 7);
    for (const v of gone) v.leave();
    dying.kill();
    await until(() => watcher.live.state.viewers === 2, 15_000);
    await until(() => live([back]));
  },
);

scenario("[SCN4] a drain moves everybody without losing an event", async (s) => {
  const leaving = await s.gateway({ DRAIN_MS: "500" });
  const crowd = await Promise.all(
    Array.from({ length: 15 }, (_, i) => s.viewer(`v${i}`, { at: [leaving, s.one, s.two] })),
  );
  const stopping = leaving.stop();
  await s.happen(40);
  await stopping;
  await until(() => live(crowd));
  await s.happen(3);
  for (const { seen } of crowd) expect(seen.resumes.every((r) => r === "caughtUp")).toBe(true);
});

scenario("[SCN5] a node that drains sends those away who have not joined: draining", async (s) => {
  const leaving = await s.gateway();
  const [silent, deaf] = [await s.raw(false, leaving), await s.greeted("ann", { at: leaving })];
  await leaving.stop();
  expect((await silent.closed).code).toBe(CLOSES.draining.code);
  expect(deaf.heard("goaway")).toHaveLength(1);
  // Who does not move by itself is moved.
  expect((await deaf.closed).code).toBe(CLOSES.draining.code);
});

scenario("[SCN6] node after node is replaced under a show: nobody misses an event", async (s) => {
  const first = await s.gateway();
  const second = await s.gateway();
  const crowd = await Promise.all(
    Array.from({ length: 6 }, (_, i) =>
      s.viewer(`v${i}`, { at: i % 2 === 0 ? [first, second, s.one] : [second, first, s.two] }),
    ),
  );
  await Promise.all([s.happen(10), first.stop()]);
  await Promise.all([s.happen(10), second.stop()]);
  await until(() => live(crowd));
  await s.happen(2);
});

scenario(
  "[SCN7] a storm of joins: everybody gets the whole room, and the show goes on meanwhile",
  async (s) => {
    await s.happen(10);
    const [storm] = await Promise.all([s.crowd(120), s.happen(20)]);
    expect(storm).toHaveLength(120);
  },
);

scenario("[SCN8] a storm of resumes: everybody is caught up, nobody by snapshot", async (s) => {
  const cables = [await s.cable(s.one), await s.cable(s.two)];
  const storm = await Promise.all(
    Array.from({ length: 60 }, (_, i) =>
      s.viewer(`v${i}`, { at: i % 2 === 0 ? cables : cables.toReversed() }),
    ),
  );
  await s.happen(5);
  for (const cable of cables) cable.cut();
  await s.happen(10);
  await until(() => storm.every(({ seen }) => seen.resumes.length > 0), 15_000);
  for (const { seen } of storm) expect(seen.resumes).toEqual(["caughtUp"]);
});

scenario(
  "[SCN9] a full node sends newcomers away with a delay, and lets in who comes back",
  async (s) => {
    const small = await s.gateway({ MAX_VIEWERS: "10" });
    const before = await s.greeted("bob", { at: s.two });
    const ticket = before.heard("ticket")[0]?.ticket ?? "";
    await s.crowd(9, { at: small });
    const hello = { token: await s.token("ann"), show: s.show, client: "c", epoch: "", offset: 0 };
    const newcomer = await s.raw(false, small);
    newcomer.ask("hello", hello);
    const { code, reason } = await newcomer.closed;
    expect(code).toBe(CLOSES.overloaded.code);
    expect(Number.parseInt(reason, 10)).toBeGreaterThan(0);
    const resumed = await s.raw(false, small);
    resumed.ask("hello", { ...hello, token: ticket });
    await until(() => resumed.heard("joined").length > 0);
    expect(resumed.heard("welcome")[0]).toMatchObject({ viewerId: "bob", resumed: true });
  },
);

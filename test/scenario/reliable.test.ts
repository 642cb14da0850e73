/** Lane R: every viewer gets each event exactly once and in order, or a snapshot in its place. */
import { expect } from "vitest";
import { showKeys } from "../../server/redis/keys.ts";
import { until } from "../helpers/rooms.ts";
import { stageOf } from "./runtime.ts";

const scenario = stageOf();

scenario("[SCR1] a viewer whose network is cut ten times misses no event", async (s) => {
  const cable = await s.cable(s.one);
  const { live, seen } = await s.viewer("ann", { at: cable });
  for (let cuts = 1; cuts <= 10; cuts++) {
    await s.happen(s.chance.below(5));
    cable.cut();
    await s.happen(s.chance.below(5));
    await until(() => seen.resumes.length === cuts);
  }
  expect(live.state.connection).toBe("live");
  expect(seen.resumes).toEqual(Array.from({ length: 10 }, () => "caughtUp"));
});

scenario("[SCR2] a connection may end in the middle of a frame, at any byte", async (s) => {
  const cable = await s.cable(s.one);
  const { live } = await s.viewer("ann", { at: cable });
  for (let cuts = 0; cuts < 6; cuts++) {
    cable.cutAfter(1 + s.chance.below(400));
    await s.happen(12);
    const last = Number((await s.booked())["offset"]);
    await until(() => live.state.offset === last && live.state.connection === "live", 10_000);
  }
});

scenario("[SCR3] viewers who change nodes at every cut still see one history", async (s) => {
  const cables = [await s.cable(s.one), await s.cable(s.two)];
  const viewers = await Promise.all(
    ["ann", "bob", "cat"].map((id, i) =>
      s.viewer(id, { at: i === 1 ? cables.toReversed() : cables }),
    ),
  );
  for (let round = 1; round <= 6; round++) {
    await s.happen(1 + s.chance.below(6));
    for (const cable of cables) cable.cut();
    await until(() => viewers.every(({ seen }) => seen.resumes.length >= round));
  }
});

scenario(
  "[SCR4] from every possible offset a catch-up is complete, dense and in order",
  async (s) => {
    await s.happen(25);
    const [epoch, log] = [await s.epoch(), await s.events()];
    const last = log.length + 1;
    const ahead = await s.viewer("settled");
    await until(() => ahead.live.state.offset === last);
    await Promise.all(
      Array.from({ length: last + 1 }, async (_, offset) => {
        const raw = await s.greeted(`v${offset}`, { epoch, offset, json: offset % 2 === 0 });
        expect(raw.heard("welcome")[0]).toMatchObject({ resumed: offset > 0, offset: last });
        const offsets = raw.heard("productChanged").map((e) => e.offset);
        if (offset === 0) expect(raw.heard("snapshot")).toHaveLength(1);
        else
          expect(offsets).toEqual(Array.from({ length: last - offset }, (__, i) => offset + 1 + i));
        raw.close();
      }),
    );
  },
);

scenario("[SCR5] a position that the log has never had is answered by a snapshot", async (s) => {
  await s.happen(3);
  const raw = await s.greeted("ann", { epoch: await s.epoch(), offset: 9_999 });
  expect(raw.heard("welcome")[0]?.resumed).toBe(false);
  expect(raw.heard("snapshot")).toHaveLength(1);
});

scenario("[SCR6] a position of another epoch is answered by a snapshot", async (s) => {
  await s.happen(3);
  const raw = await s.greeted("ann", { epoch: "another-life", offset: 2 });
  expect(raw.heard("snapshot")).toHaveLength(1);
  expect(raw.heard("productChanged")).toHaveLength(0);
});

scenario("[SCR7] who missed more than a node keeps gets a snapshot, never a part", async (s) => {
  const early = await s.viewer("ann");
  await Promise.all(Array.from({ length: 26 }, () => s.happen(100)));
  await until(() => early.live.state.offset > 2600, 15_000);
  const epoch = await s.epoch();
  const late = await s.greeted("bob", { epoch, offset: 1 });
  expect(late.heard("welcome")[0]?.resumed).toBe(false);
  expect(late.heard("snapshot")).toHaveLength(1);
  expect(late.heard("productChanged")).toHaveLength(0);
  const near = await s.greeted("cat", { epoch, offset: early.live.state.offset - 1500 });
  expect(near.heard("productChanged")).toHaveLength(1500);
  expect(near.heard("snapshot")).toHaveLength(0);
});

scenario(
  "[SCR8] a node that starts late answers old positions from the log's history",
  async (s) => {
    await s.happen(20);
    const fresh = await s.gateway();
    const raw = await s.greeted("ann", { at: fresh, epoch: await s.epoch(), offset: 5 });
    expect(raw.heard("productChanged").map((e) => e.offset)[0]).toBe(6);
    expect(raw.heard("welcome")[0]?.resumed).toBe(true);
  },
);

scenario(
  "[SCR9] a node that starts after the log was trimmed answers with a snapshot",
  async (s) => {
    await s.happen(20);
    await s.world.store.xtrim(showKeys(s.show).log, "MAXLEN", 5);
    const fresh = await s.gateway();
    const raw = await s.greeted("ann", { at: fresh, epoch: await s.epoch(), offset: 5 });
    expect(raw.heard("snapshot")).toHaveLength(1);
    expect(raw.heard("productChanged")).toHaveLength(0);
  },
);

scenario("[SCR10] a gap found in place is filled in place, live frames behind it", async (s) => {
  const raw = await s.greeted("ann", { epoch: "", offset: 0 });
  await s.happen(10);
  await until(() => raw.heard("productChanged").length === 10);
  raw.ask("catchUp", { offset: 4 });
  await until(() => raw.heard("joined").length === 2);
  const offsets = raw.heard("productChanged").map((e) => e.offset);
  expect(offsets.slice(10)).toEqual([5, 6, 7, 8, 9, 10, 11, 12].slice(0, offsets.length - 10));
  expect(raw.heard("joined")[1]?.offset).toBe(offsets.at(-1));
});

scenario(
  "[SCR11] both subprotocols and both nodes tell the same events in the same order",
  async (s) => {
    const viewers = await Promise.all(
      [s.one, s.two].flatMap((at, n) =>
        (["msgpack", "json"] as const).map((protocol) =>
          s.viewer(`${protocol}${n}`, { at, protocol }),
        ),
      ),
    );
    await s.happen(30);
    const last = Number((await s.booked())["offset"]);
    await until(() => viewers.every(({ live }) => live.state.offset === last));
    const stories = viewers.map(({ seen }) => JSON.stringify(seen.stretches[0]?.events.slice(-20)));
    expect(new Set(stories).size).toBe(1);
  },
);

scenario(
  "[SCR12] a second loss right after the first, and a third without any news, are survived",
  async (s) => {
    const cable = await s.cable(s.one);
    const { seen } = await s.viewer("ann", { at: cable });
    await s.happen(3);
    for (let cuts = 1; cuts <= 3; cuts++) {
      cable.cut();
      await until(() => seen.resumes.length === cuts);
    }
    await s.happen(2);
    expect(seen.resumes).toEqual(["caughtUp", "caughtUp", "caughtUp"]);
  },
);

scenario("[SCR13] a loss before the first event of all is bridged too", async (s) => {
  const cable = await s.cable(s.one);
  const { seen } = await s.viewer("ann", { at: cable });
  cable.cut();
  await s.happen(4);
  await until(() => seen.resumes.length === 1);
  expect(seen.resumes).toEqual(["caughtUp"]);
});

scenario(
  "[SCR14] after Redis lost the history everybody gets the new one, by snapshot",
  async (s) => {
    const { live, seen } = await s.viewer("ann", { losesHistory: true });
    await s.happen(5);
    await until(() => live.state.offset >= 6);
    await s.world.store.del(...(await s.world.store.keys(`dropcast:{${s.show}}:*`)));
    await s.world.shows.create(s.show, { title: "新", currency: "CNY" });
    await until(() => live.state.title === "新", 15_000);
    await s.happen(2);
    expect(seen.resumes.at(-1)).toBe("snapshot");
  },
);

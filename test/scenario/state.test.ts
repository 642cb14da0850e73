/** Lane S: stock, counts and what is left never go backwards on any screen, and end as the store has them. */
import { expect } from "vitest";
import { until } from "../helpers/rooms.ts";
import { stageOf } from "./runtime.ts";

const scenario = stageOf();

scenario("[SCS1] in a rush over two nodes the stock only moves on, and ends exact", async (s) => {
  const crowd = await s.crowd(20);
  const dropId = await s.world.drop(s.show, 8);
  await until(() => crowd.every(({ live }) => live.state.drops.has(dropId)));
  const answers = await Promise.all(crowd.map(({ live }) => live.hold(dropId)));
  expect(answers.filter((a) => a.result === "held")).toHaveLength(8);
  expect(answers.filter((a) => a.result === "soldOut")).toHaveLength(12);
  await until(() => crowd.every(({ live }) => live.state.drops.get(dropId)?.state === "soldOut"));
});

scenario(
  "[SCS2] who is cut and comes back on the other node in the middle of a rush sees no older stock",
  async (s) => {
    const cables = [await s.cable(s.one), await s.cable(s.two)];
    const dropId = await s.world.drop(s.show, 200, { perBuyerLimit: 99 });
    const watcher = await s.viewer("watcher", { at: cables });
    const buyers = await s.crowd(6);
    const stop = Date.now() + 2500;
    const buy = async ({ live }: (typeof buyers)[number]): Promise<void> => {
      while (Date.now() < stop) {
        await live.hold(dropId);
        await new Promise((resolve) => setTimeout(resolve, s.chance.below(200)));
      }
    };
    const buying = Promise.all(buyers.map(buy));
    for (let cuts = 1; cuts <= 4; cuts++) {
      cables.forEach((cable) => cable.cut());
      await until(() => watcher.seen.resumes.length >= cuts);
    }
    await buying;
  },
);

scenario(
  "[SCS3] sold out, restocked, sold out again: every screen turns with it, once each",
  async (s) => {
    const dropId = await s.world.drop(s.show, 1, { perBuyerLimit: 9 });
    const crowd = await s.crowd(4);
    const states = crowd.map(
      ({ live }) =>
        () =>
          live.state.drops.get(dropId)?.state,
    );
    for (let round = 0; round < 3; round++) {
      expect((await crowd[round]?.live.hold(dropId))?.result).toBe("held");
      await until(() => states.every((state) => state() === "soldOut"));
      await s.world.inventory.restock(s.show, dropId, 1);
      await until(() => states.every((state) => state() === "open"));
    }
  },
);

scenario("[SCS4] several drops at once: each one's stock has its own order", async (s) => {
  const drops = await Promise.all(
    [0, 1, 2, 3].map(() => s.world.drop(s.show, 50, { perBuyerLimit: 99 })),
  );
  const crowd = await s.crowd(8);
  await until(() => crowd.every(({ live }) => drops.every((id) => live.state.drops.has(id))));
  await Promise.all(
    crowd.flatMap(({ live }) =>
      Array.from({ length: 5 }, () => live.hold(s.chance.pick(drops), { quantity: 1 })),
    ),
  );
});

scenario(
  "[SCS5] the viewer count rises and falls with the viewers, the same on both nodes",
  async (s) => {
    const crowd = await s.crowd(6);
    const watcher = await s.viewer("watcher", { at: s.two });
    await until(() => watcher.live.state.viewers === 7);
    for (const viewer of crowd.slice(0, 4)) viewer.leave();
    await until(() => watcher.live.state.viewers === 3);
    await until(() => crowd[4]?.live.state.viewers === 3);
  },
);

scenario("[SCS6] an expired hold gives its unit back on every screen", async (s) => {
  const dropId = await s.world.drop(s.show, 1, { holdMs: 400 });
  const [ann, bob] = [await s.viewer("ann"), await s.viewer("bob", { at: s.two })];
  expect((await ann.live.hold(dropId)).result).toBe("held");
  await until(() => bob.live.state.drops.get(dropId)?.available === 0);
  await until(() => [ann, bob].every((v) => v.live.state.drops.get(dropId)?.available === 1));
  expect([...ann.live.state.orders.values()]).toMatchObject([{ state: "expired" }]);
});

scenario("[SCS7] a cancelled hold gives its unit back once", async (s) => {
  const dropId = await s.world.drop(s.show, 2);
  const [ann, bob] = [await s.viewer("ann"), await s.viewer("bob", { at: s.two })];
  const held = await ann.live.hold(dropId);
  const holdId = held.result === "held" ? held.holdId : "";
  const answers = await Promise.all([1, 2, 3].map(() => ann.live.cancel(holdId)));
  expect(answers).toEqual([1, 2, 3].map(() => ({ result: "cancelled" })));
  await until(() => bob.live.state.drops.get(dropId)?.available === 2);
});

scenario("[SCS8] an annulled drop is annulled on every screen, with its holds", async (s) => {
  const dropId = await s.world.drop(s.show, 5);
  const crowd = await s.crowd(4);
  await crowd[0]?.live.hold(dropId);
  await s.world.inventory.void(s.show, dropId, "a wrong price");
  await until(() => crowd.every(({ live }) => live.state.drops.get(dropId)?.state === "voided"));
  expect((await crowd[1]?.live.hold(dropId))?.result).toBe("closed");
});

scenario("[SCS9] a drop opens and closes on every screen at its time, in this order", async (s) => {
  const [ann, bob] = [await s.viewer("ann"), await s.viewer("bob", { at: s.two })];
  const startsAtMs = Date.now() + 700;
  const dropId = await s.world.drop(s.show, 5, { startsAtMs, endsAtMs: startsAtMs + 700 });
  await until(() => ann.live.state.drops.get(dropId)?.state === "announced");
  expect((await ann.live.hold(dropId)).result).toBe("notOpen");
  await until(() => [ann, bob].every((v) => v.live.state.drops.get(dropId)?.state === "closed"));
  const story = bob.seen.stretches[0]?.events.flatMap((e) =>
    e.what.startsWith("drop") ? [e.what] : [],
  );
  expect(story).toEqual(["dropAnnounced", "dropOpened", "dropClosed"]);
});

scenario("[SCS10] whoever joins during a rush has the stock of those who were there", async (s) => {
  const dropId = await s.world.drop(s.show, 100, { perBuyerLimit: 99 });
  const buyers = await s.crowd(5);
  const buying = Promise.all(
    buyers.map(async ({ live }) => {
      for (let i = 0; i < 8; i++) await live.hold(dropId);
    }),
  );
  for (let i = 0; i < 10; i++) await s.viewer(`late${i}`, { at: i % 2 === 0 ? s.one : s.two });
  await buying;
});

scenario(
  "[SCS11] a coupon's claims run down to nothing on every screen and never up",
  async (s) => {
    const crowd = await s.crowd(8);
    const left: number[] = [];
    crowd[7]?.live.on("couponsChanged", ({ couponId }) => {
      left.push(crowd[7]?.live.state.coupons.get(couponId)?.left ?? -1);
    });
    await s.world.inventory.addCoupon(s.show, {
      couponId: "ten",
      title: "¥10",
      offCents: 1000,
      minSpendCents: 0,
      sku: "",
      perViewerLimit: 1,
      startsAtMs: 0,
      endsAtMs: Date.now() + 600_000,
      stacks: false,
      left: 5,
      version: 0,
    });
    await until(() => crowd.every(({ live }) => live.state.coupons.has("ten")));
    const answers = await Promise.all(crowd.map(({ live }) => live.claim("ten")));
    expect(answers.filter((a) => a.result === "granted")).toHaveLength(5);
    await until(() => crowd.every(({ live }) => live.state.coupons.get("ten")?.left === 0));
    expect(left).toEqual(left.toSorted((a, b) => b - a));
  },
);

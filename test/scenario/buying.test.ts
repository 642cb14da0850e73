/** Buying over bad networks: one answer per key, whatever is lost; and refusals that say what they are. */
import { expect } from "vitest";
import { until } from "../helpers/rooms.ts";
import { stageOf } from "./runtime.ts";

const scenario = stageOf();
const held = (answers: readonly { readonly result: string }[]): number =>
  answers.filter(({ result }) => result === "held").length;

scenario(
  "[SCB1] the connection is cut at any moment of a hold: it is asked again, held once, told once",
  async (s) => {
    const dropId = await s.world.drop(s.show, 50, { perBuyerLimit: 99 });
    const cable = await s.cable(s.one);
    const { live } = await s.viewer("ann", { at: [cable, s.two] });
    for (let i = 0; i < 5; i++) {
      const asked = live.hold(dropId, { key: `k${i}` });
      await new Promise((resolve) => setTimeout(resolve, s.chance.below(12)));
      cable.cut();
      expect(await asked).toMatchObject({ result: "held", holdId: `k${i}` });
    }
    await until(() => live.state.orders.size === 5);
    await until(() => live.state.drops.get(dropId)?.held === 5);
  },
);

scenario(
  "[SCB2] one key on three devices and both nodes is one hold with one answer",
  async (s) => {
    const dropId = await s.world.drop(s.show, 5, { perBuyerLimit: 9 });
    const devices = await Promise.all([s.one, s.two, s.one].map((at) => s.viewer("ann", { at })));
    const answers = await Promise.all(
      devices.flatMap(({ live }) => [
        live.hold(dropId, { key: "k" }),
        live.hold(dropId, { key: "k" }),
      ]),
    );
    expect(new Set(answers.map((a) => JSON.stringify(a))).size).toBe(1);
    await until(() => devices.every(({ live }) => live.state.drops.get(dropId)?.held === 1));
  },
);

scenario("[SCB3] a buyer's limit holds over devices, nodes and reconnects", async (s) => {
  const dropId = await s.world.drop(s.show, 50, { perBuyerLimit: 2 });
  const cables = [await s.cable(s.one), await s.cable(s.two)];
  const devices = await Promise.all(cables.map((at) => s.viewer("ann", { at })));
  const asked = devices.flatMap(({ live }) => [1, 2, 3].map(() => live.hold(dropId)));
  cables.forEach((cable) => cable.cut());
  const answers = await Promise.all(asked);
  expect(held(answers)).toBe(2);
  expect(answers.filter(({ result }) => result === "limit")).toHaveLength(4);
});

scenario(
  "[SCB4] after sold out a node refuses by itself, and still gives a known key its first answer",
  async (s) => {
    const dropId = await s.world.drop(s.show, 1);
    const [ann, bob] = [await s.viewer("ann"), await s.viewer("bob")];
    const first = await ann.live.hold(dropId, { key: "k" });
    expect(first.result).toBe("held");
    await until(() => bob.live.state.drops.get(dropId)?.state === "soldOut");
    expect(held(await Promise.all([1, 2, 3].map(() => bob.live.hold(dropId))))).toBe(0);
    expect(await ann.live.hold(dropId, { key: "k" })).toEqual(first);
  },
);

scenario(
  "[SCB5] what is not there or cannot be is refused with its code, and the viewer stays",
  async (s) => {
    const { live } = await s.viewer("ann");
    const dropId = await s.world.drop(s.show, 5);
    await expect(live.hold("nothing")).rejects.toMatchObject({
      code: "notFound",
      retryable: false,
    });
    await expect(live.hold(dropId, { key: "a|b" })).rejects.toMatchObject({ code: "badRequest" });
    await expect(live.claim("nothing")).rejects.toMatchObject({ code: "notFound" });
    expect(await live.cancel("nothing")).toEqual({ result: "notHeld" });
    expect(await live.pay("nothing")).toEqual({ result: "notHeld" });
    expect(await live.wait(dropId)).toEqual({ result: "notNeeded" });
    expect(live.state.connection).toBe("live");
  },
);

scenario(
  "[SCB6] an order is told to all of its buyer's devices, also to one that was away, and to nobody else",
  async (s) => {
    const dropId = await s.world.drop(s.show, 5);
    const cable = await s.cable(s.two);
    const [phone, pad] = [await s.viewer("ann"), await s.viewer("ann", { at: cable })];
    const bob = await s.viewer("bob");
    cable.cut();
    expect((await phone.live.hold(dropId, { key: "k" })).result).toBe("held");
    await until(() => pad.live.state.orders.get("k")?.state === "held");
    await phone.live.cancel("k");
    await until(() =>
      [phone, pad].every(({ live }) => live.state.orders.get("k")?.state === "cancelled"),
    );
    expect(bob.live.state.orders.size).toBe(0);
  },
);

scenario(
  "[SCB7] who waits in line is served in order over both nodes, also after a cut",
  async (s) => {
    const dropId = await s.world.drop(s.show, 1);
    const cables = [await s.cable(s.one), await s.cable(s.two)];
    const owner = await s.viewer("owner");
    expect((await owner.live.hold(dropId, { key: "own" })).result).toBe("held");
    const line = await Promise.all(
      [0, 1].map((i) => s.viewer(`w${i}`, { at: cables[i] as never })),
    );
    for (const [i, { live }] of line.entries()) {
      await until(() => live.state.drops.get(dropId)?.state === "soldOut");
      expect(await live.wait(dropId, { key: `w${i}` })).toMatchObject({
        result: "waiting",
        ahead: i,
      });
    }
    await until(() => line.every(({ live }, i) => live.state.orders.has(`w${i}`)));
    cables.forEach((cable) => cable.cut());
    await owner.live.cancel("own");
    await until(() => line[0]?.live.state.orders.get("w0")?.state === "held");
    expect(line[1]?.live.state.orders.get("w1")?.state).toBe("waiting");
  },
);

scenario(
  "[SCB8] after close every question is refused, and nothing is heard any more",
  async (s) => {
    const { live, frames } = await s.viewer("ann");
    const dropId = await s.world.drop(s.show, 5);
    const asked = live.hold(dropId);
    live.close();
    await expect(asked).rejects.toMatchObject({ code: "closed" });
    await expect(live.comment("late")).rejects.toMatchObject({ code: "closed" });
    const heard = frames.length;
    await s.happen(5);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(frames.length).toBe(heard);
    expect(live.state.connection).toBe("closed");
  },
);

scenario(
  "[SCB9] a token that is refused ends the client for good, and says with which code",
  async (s) => {
    const token = await s.world.tokens.sign(
      { show: s.show, viewerId: "ann", role: "viewer", name: "A" },
      -1,
    );
    await expect(s.viewer("ann", { token })).rejects.toMatchObject({
      code: "closed",
      retryable: false,
    });
    await expect(s.viewer("ann", { token: "x", firstWithinMs: 2000 })).rejects.toThrow("4010");
  },
);

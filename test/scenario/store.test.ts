/** Redis is killed, stands still, or is away while people come: nothing is lost, nothing is doubled, and the codes say what to do. */
import { expect } from "vitest";
import { CLOSES } from "#wire";
import { until } from "../helpers/rooms.ts";
import { stageOf } from "./runtime.ts";

const scenario = stageOf(true);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

scenario(
  "[SCD1] Redis is killed and comes back: comments, likes and holds of the meantime stand once",
  async (s) => {
    const dropId = await s.world.drop(s.show, 5);
    const crowd = await s.crowd(6);
    await s.world.redis.kill("SIGKILL");
    const holds = Promise.all(crowd.map(({ live }, i) => live.hold(dropId, { key: `k${i}` })));
    const said = Promise.all(crowd.map(({ live }, i) => live.comment(`在 ${i}`)));
    for (const { live } of crowd) live.like(3);
    await pause(700);
    await s.world.redis.restart();
    expect((await holds).filter((a) => a.result === "held")).toHaveLength(5);
    for (const { result } of await said) expect(result).toBe("accepted");
    await until(async () => (await s.booked())["likes"] === "18", 15_000);
    expect((await s.booked())["commentNo"]).toBe("6");
  },
);

scenario(
  "[SCD2] Redis stands still for a second in the middle of events: they come late, in order, once",
  async (s) => {
    const crowd = await s.crowd(4);
    const happening = s.happen(10);
    await s.world.redis.kill("SIGSTOP");
    await pause(1000);
    await s.world.redis.kill("SIGCONT");
    await happening;
    await s.happen(3);
    await until(() => crowd.every(({ live }) => live.state.offset >= 14));
  },
);

scenario(
  "[SCD3] Redis is away when somebody comes: storeDown, with the time to come back after",
  async (s) => {
    const hello = { token: await s.token("ann"), show: s.show, client: "c", epoch: "", offset: 0 };
    const fresh = await s.gateway();
    await s.world.redis.kill("SIGKILL");
    const raw = await s.raw(false, fresh);
    raw.ask("hello", hello);
    const { code, reason } = await raw.closed;
    await s.world.redis.restart();
    expect(code).toBe(CLOSES.storeDown.code);
    expect(Number(reason)).toBeGreaterThan(0);
    const ann = await s.viewer("ann", { at: fresh });
    expect(ann.live.state.connection).toBe("live");
  },
);

scenario(
  "[SCD4] Redis is killed while the network fails too: everybody ends where the store is",
  async (s) => {
    const cable = await s.cable(s.one);
    const crowd = await s.crowd(4, { at: [cable, s.two] });
    await s.happen(4);
    cable.cut();
    await s.world.redis.kill("SIGKILL");
    await pause(300);
    await s.world.redis.restart();
    await until(
      () =>
        s.happen(1).then(
          () => true,
          () => false,
        ),
      10_000,
    );
    await until(() => crowd.every(({ live }) => live.state.connection === "live"), 20_000);
  },
);

scenario(
  "[SCD5] Redis dies three times: a resume after each, and lane A exact at the end",
  async (s) => {
    const { live } = await s.viewer("ann");
    for (let i = 0; i < 3; i++) {
      live.like(5);
      await s.world.redis.kill("SIGKILL");
      live.like(5);
      await s.world.redis.restart();
      await pause(s.chance.below(400));
    }
    await until(async () => (await s.booked())["likes"] === "30", 15_000);
  },
);

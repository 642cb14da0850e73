/** The crowd in C, against a real gateway: what it counts is what Redis has. Where there is no C compiler, benches cannot use it either. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type NativeCrowd, startNativeCrowd } from "../../load/native/crowd.ts";
import { findProgram } from "../../server/config.ts";
import { showKeys } from "../../server/redis/keys.ts";
import { startWorld, type World } from "../helpers/rooms.ts";

const BUYERS = 120;
const UNITS = 9;

let world: World;
let crowd: NativeCrowd | undefined;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await crowd?.close();
  await world.stop();
});

test.skipIf(findProgram(["cc"]) === undefined)(
  "[SWARM5][I2] the crowd in C is answered once each, by the log or in so many words, and holds what Redis says",
  async () => {
    const gateway = await world.gateway();
    const show = await world.show(1000);
    const token = (i: number): Promise<string> =>
      world.tokens.sign({ show, viewerId: `v${i}`, role: "viewer", name: `v${i}` });
    const tokens = await Promise.all(Array.from({ length: BUYERS }, (_, i) => token(i)));
    crowd = await startNativeCrowd({ port: Number(new URL(gateway.url).port), show, tokens });
    const dropId = await world.drop(show, UNITS);
    expect(await crowd.tap(dropId, "first")).toMatchObject({
      held: UNITS,
      soldOut: BUYERS - UNITS,
      rode: BUYERS - UNITS,
    });
    expect(await crowd.tap(dropId, "again")).toMatchObject({ soldOut: BUYERS, rode: 0 });
    expect(JSON.parse((await world.store.hget(showKeys(show).drops, dropId)) ?? "")).toMatchObject({
      held: UNITS,
      available: 0,
    });
    expect(await crowd.counts()).toMatchObject({ closes: 0 });
    await expect(crowd.tap("no-such-drop", "lost")).rejects.toThrow("a command failed");
  },
);

/** Comments that are sent again: on two gateways with one Redis. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { LIMITS } from "#wire";
import { openRaw, type Raw } from "../helpers/raw.ts";
import { type Gateway, startWorld, until, type World } from "../helpers/rooms.ts";

let world: World;
let one: Gateway;
let two: Gateway;
beforeAll(async () => {
  world = await startWorld();
  [one, two] = await Promise.all([world.gateway(), world.gateway()]);
});
afterAll(() => world.stop());

const say = async (raw: Raw, seq: number): Promise<string | undefined> => {
  const id = raw.heard("commentAnswered").length + 1;
  raw.ask("comment", { id, seq, text: `第 ${seq} 句` });
  await until(() => raw.heard("commentAnswered").length === id);
  return raw.heard("commentAnswered").at(-1)?.result;
};

test("[TALK4] a comment that is sent again to another node is accepted as before, however fast its author has been there", async () => {
  const show = await world.show();
  const enter = async (gateway: Gateway, client: string): Promise<Raw> => {
    const raw = await openRaw(gateway.url);
    const token = await world.tokens.sign({ show, viewerId: "ann", role: "viewer", name: "ann" });
    raw.ask("hello", { token, show, client, epoch: "", offset: 0 });
    await until(() => raw.heard("joined").length > 0);
    return raw;
  };
  const [phone, tablet] = [await enter(one, "phone"), await enter(two, "tablet")];
  expect(await say(phone, 1)).toBe("accepted");
  for (let seq = 1; seq <= LIMITS.commentBurst; seq++)
    expect(await say(tablet, seq)).toBe("accepted");
  expect(await say(tablet, LIMITS.commentBurst + 1)).toBe("tooFast");
  await until(() => tablet.heard("comments").some((c) => c.comments.some((x) => x.no === 1)));
  const again = await enter(two, "phone");
  expect(await say(again, 1)).toBe("accepted");
  expect(await say(again, 2)).toBe("tooFast");
  for (const raw of [phone, tablet, again]) raw.close();
});

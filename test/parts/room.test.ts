import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Live } from "#sdk";
import { showKeys } from "../../server/redis/keys.ts";
import { createRoomWrites } from "../../server/room/writes.ts";
import { type Gateway, startWorld, until, type World } from "../helpers/rooms.ts";

let world: World;
let one: Gateway;
let two: Gateway;
beforeAll(async () => {
  world = await startWorld();
  [one, two] = await Promise.all([world.gateway(), world.gateway()]);
});
afterAll(() => world.stop());

const comments = (live: Live): string[] => live.state.comments.map((c) => c.text);
const booked = async (show: string): Promise<Record<string, string>> =>
  world.store.hgetall(showKeys(show).meta);

describe.each([["msgpack"], ["json"]] as const)("over %s", (protocol) => {
  test("[ROOM2] a joining viewer gets the whole room: bag, pins, drops, comments, counts, own orders", async () => {
    const show = await world.show();
    const dropId = await world.drop(show, 5);
    await world.shows.pin(show, "tea");
    const first = await world.join(one, show, "ann", { protocol });
    await first.comment("在吗");
    const held = await first.hold(dropId);
    expect(held.result).toBe("held");
    await until(() => first.state.drops.get(dropId)?.held === 1);
    const second = await world.join(one, show, "ann", { protocol });
    expect(second.state).toMatchObject({
      title: "茶",
      currency: "CNY",
      pinned: ["tea"],
      viewerId: "ann",
      role: "viewer",
    });
    expect(second.state.products.get("tea")?.stock).toBe(995);
    expect(second.state.drops.get(dropId)).toMatchObject({
      state: "open",
      available: 4,
      held: 1,
      sold: 0,
    });
    expect(comments(second)).toEqual(["在吗"]);
    expect([...second.state.orders.values()]).toMatchObject([
      { dropId, state: "held", quantity: 1, amountCents: 4900 },
    ]);
  });

  test("[ROOM3] what one viewer says, likes and shares reaches the others", async () => {
    const show = await world.show();
    const [ann, bob] = await Promise.all([
      world.join(one, show, "ann", { protocol }),
      world.join(two, show, "bob", { protocol }),
    ]);
    expect(await ann.comment("你好 👋")).toMatchObject({ result: "accepted" });
    ann.like(3);
    ann.like(4);
    ann.share();
    await until(
      () => comments(bob).includes("你好 👋") && bob.state.likes === 7 && bob.state.shares === 1,
    );
    expect(bob.state.comments[0]).toMatchObject({ viewerId: "ann", name: "ann", role: "viewer" });
    expect(await booked(show)).toMatchObject({ likes: "7", shares: "1" });
  });
});

const only = (list: readonly string[] | undefined, pins: boolean) =>
  list?.filter((e) => e.startsWith("pins") === pins);

test("[ROOM4] two gateways on one Redis show everything in the same order", async () => {
  const show = await world.show();
  const speakers = await Promise.all(
    Array.from({ length: 6 }, (_, i) =>
      world.join(i % 2 === 0 ? one : two, show, `s${i}`, { role: "host" }),
    ),
  );
  const watchers = await Promise.all([world.join(one, show, "w1"), world.join(two, show, "w2")]);
  const events: string[][] = [[], []];
  watchers.forEach((live, i) => {
    live.on("commented", (list) => events[i]?.push(...list.map((c) => `${c.no} ${c.text}`)));
    live.on("pinned", ({ skus }) => events[i]?.push(`pins ${skus.join()}`));
  });
  const said = speakers.flatMap((live, i) =>
    Array.from({ length: 5 }, (_, n) => live.comment(`${i}/${n}`)),
  );
  for (let n = 0; n < 6; n++)
    await (n % 2 === 0 ? world.shows.pin(show, "tea") : world.shows.unpin(show, "tea"));
  await Promise.all(said);
  await until(() => events.every((list) => list.length >= 30 + 6));
  expect(only(events[0], false)).toEqual(only(events[1], false));
  expect(only(events[0], true)).toEqual(only(events[1], true));
  for (const i of [0, 1, 2, 3, 4, 5])
    expect(
      only(events[0], false)
        ?.filter((e) => e.includes(` ${i}/`))
        .map((e) => e.split("/")[1]),
    ).toEqual(["0", "1", "2", "3", "4"]);
});

test("[ROOM5][I10] viewers are counted once each, over nodes; a node that dies takes its viewers with it", async () => {
  const show = await world.show();
  const third = await world.gateway("gw-dying");
  const ann = await world.join(one, show, "ann");
  await world.join(one, show, "ann");
  await world.join(two, show, "ann");
  await world.join(two, show, "bob");
  await world.join(third, show, "cat");
  await until(() => ann.state.viewers === 3);
  // A node that was killed leaves its lease behind.
  const killed = Array.from({ length: 500 }, (_, i) => `k${i}`);
  const change = { mode: "whole", came: [...killed, "ann"], left: [] } as const;
  await createRoomWrites(world.store).presence(show, "gw-killed", change);
  await until(() => ann.state.viewers === 503);
  await until(() => ann.state.viewers === 3, 6000);
  await third.stop();
  await until(() => ann.state.viewers === 2, 3000);
});

test("[ROOM6] limits are answers: too fast, muted; a host is not limited, a mute ends", async () => {
  const show = await world.show();
  const [ann, host] = await Promise.all([
    world.join(one, show, "ann"),
    world.join(two, show, "host", { role: "host" }),
  ]);
  const results = [];
  for (let i = 0; i < 8; i++) results.push((await ann.comment(`c${i}`)).result);
  expect(results.filter((r) => r === "accepted")).toHaveLength(5);
  expect(results.slice(5)).toEqual(["tooFast", "tooFast", "tooFast"]);
  for (let i = 0; i < 8; i++) expect((await host.comment(`h${i}`)).result).toBe("accepted");
  await world.shows.mute(show, "ann", 60_000);
  await until(() => ann.state.mutedUntilMs > 0);
  expect((await ann.comment("still?")).result).toBe("muted");
  await world.shows.unmute(show, "ann");
  await until(() => ann.state.mutedUntilMs === 0);
});

test("[ROOM7] a deleted comment leaves every screen, also those that come later", async () => {
  const show = await world.show();
  const [ann, bob] = await Promise.all([
    world.join(one, show, "ann"),
    world.join(two, show, "bob"),
  ]);
  await ann.comment("bad");
  await ann.comment("good");
  await until(() => comments(bob).length === 2);
  await world.shows.deleteComment(show, 1);
  await until(() => comments(bob).length === 1 && comments(ann).length === 1);
  const late = await world.join(one, show, "late");
  expect(comments(late)).toEqual(["good"]);
  const fresh = await world.gateway();
  const other = await world.join(fresh, show, "other");
  expect(comments(other)).toEqual(["good"]);
  await fresh.stop();
});

test("[ROOM8] a show's end and everything before it is there for a gateway that starts late", async () => {
  const show = await world.show();
  await world.shows.turn(show, "live");
  const ann = await world.join(one, show, "ann");
  expect(ann.state.state).toBe("live");
  await world.shows.turn(show, "ended");
  await until(() => ann.state.state === "ended");
  const fresh = await world.gateway();
  const late = await world.join(fresh, show, "late");
  expect(late.state.state).toBe("ended");
  expect(late.state.offset).toBe(ann.state.offset);
  await fresh.stop();
});

test("[ROOM9] after Redis lost a room's history the room is opened anew, with a new snapshot", async () => {
  const show = await world.show();
  const ann = await world.join(one, show, "ann");
  await world.shows.pin(show, "tea");
  await until(() => ann.state.pinned.length === 1);
  const keys = await world.store.keys(`dropcast:{${show}}:*`);
  await world.store.del(...keys);
  await world.shows.create(show, { title: "新", currency: "CNY" });
  await until(() => ann.state.title === "新", 10_000);
  expect(ann.state.pinned).toEqual([]);
}, 20_000);

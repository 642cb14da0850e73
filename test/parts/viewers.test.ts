/** The number of viewers: exact, over nodes, under any history. [I10] */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { showKeys } from "../../server/redis/keys.ts";
import { createPresence, type Presence } from "../../server/room/presence.ts";
import { createRoomWrites, type RoomWrites } from "../../server/room/writes.ts";
import { startWorld, type World } from "../helpers/rooms.ts";

let world: World;
let writes: RoomWrites;
beforeAll(async () => {
  world = await startWorld();
  writes = createRoomWrites(world.store);
});
afterAll(() => world.stop());

/** One node as the property sees it. */
interface Node {
  readonly name: string;
  readonly here: Set<string>;
  presence: Presence;
  /** Its viewers as it last told them; gone with its lease. */
  told: ReadonlySet<string>;
}

type Fate = "heard" | "unheard" | "answer lost";

const nodesOf = (show: string): { nodes: Node[]; fate: (f: Fate) => void } => {
  let fate: Fate = "heard";
  const tell: RoomWrites["presence"] = async (...args) => {
    if (fate === "unheard") throw new Error("away");
    const told = await writes.presence(...args);
    if (fate === "answer lost") throw new Error("no answer");
    return told;
  };
  const nodes = ["a", "b", "c"].map((name): Node => {
    const here = new Set<string>();
    const presence = createPresence({ show, node: name, tell, here: () => [...here] });
    return { name, here, presence, told: new Set() };
  });
  return { nodes, fate: (f) => (fate = f) };
};

const lapse = (show: string, { name }: Node): Promise<unknown> =>
  world.store.hset(showKeys(show).viewers, name, 1);

const step = fc.oneof(
  fc.record({ do: fc.constant("toggle"), node: fc.nat(2), viewer: fc.nat(5) }),
  fc.record({
    do: fc.constantFrom("heard", "heard", "unheard", "answer lost", "lapsed", "ended"),
    node: fc.nat(2),
    viewer: fc.constant(0),
  }),
);

test("[VIEW1][I10] whatever comes, goes, dies or is told twice, the count is of different viewers on living nodes, and so is the peak", async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
    const show = await world.show();
    const { nodes, fate } = nodesOf(show);
    let peak = 0;
    for (const { do: what, node: at, viewer } of steps) {
      const node = nodes[at] as Node;
      if (what === "toggle") {
        const id = `v${viewer}`;
        if (node.here.delete(id)) node.presence.left(id);
        else {
          node.here.add(id);
          node.presence.came(id);
        }
        continue;
      }
      if (what === "lapsed") {
        await lapse(show, node);
        node.told = new Set();
        continue;
      }
      if (what === "ended") {
        await node.presence.end();
        node.told = new Set();
      } else {
        fate(what);
        await node.presence.report().catch(() => undefined);
        fate("heard");
        if (what !== "unheard") node.told = new Set(node.here);
      }
      const meta = await world.store.hgetall(showKeys(show).meta);
      // A node that was taken for dead is told so by the answer, and tells the whole the next time.
      if (what === "heard") {
        await node.presence.report();
        const viewers = Number(await world.store.hget(showKeys(show).meta, "viewers"));
        const different = new Set(nodes.flatMap(({ told }) => [...told]));
        expect(viewers).toBe(different.size);
        peak = Math.max(peak, viewers);
      }
      peak = Math.max(peak, Number(meta["viewers"] ?? 0));
    }
    expect(Number((await world.store.hget(showKeys(show).meta, "peakViewers")) ?? 0)).toBe(peak);
  });
  await fc.assert(property, { numRuns: 60 });
}, 120_000);

test("[VIEW2] a node whose lease ended while it stood still tells the whole again", async () => {
  const show = await world.show();
  const { nodes } = nodesOf(show);
  const [one, two] = nodes as [Node, Node];
  const ids = Array.from({ length: 3000 }, (_, i) => `v${i}`);
  for (const id of ids) {
    one.here.add(id);
    one.presence.came(id);
  }
  expect(await one.presence.report()).toMatchObject({ viewers: 3000, known: 3000 });
  await lapse(show, one);
  expect(await two.presence.report()).toMatchObject({ viewers: 0 });
  one.here.add("late");
  one.presence.came("late");
  expect(await one.presence.report()).toMatchObject({ viewers: 1, known: 1 });
  expect(await one.presence.report()).toMatchObject({ viewers: 3001, known: 3001 });
  await one.presence.end();
  const { watching, present, viewers } = showKeys(show);
  expect(await world.store.exists(watching, `${present}:a`, `${present}:b`)).toBe(0);
  expect(await world.store.hkeys(viewers)).toEqual(["b"]);
});

/** Moderation on two gateways with one Redis: what one is told is in force on the other within 500 ms. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Live } from "#sdk";
import { showKeys } from "../../server/redis/keys.ts";
import type { Rules } from "../../server/room/moderation/rules.ts";
import { ownTime } from "../helpers/own-time.ts";
import { type Gateway, startWorld, until, type World } from "../helpers/rooms.ts";

let world: World;
let one: Gateway;
let two: Gateway;
beforeAll(async () => {
  world = await startWorld();
  [one, two] = await Promise.all([world.gateway(), world.gateway()]);
});
afterAll(() => world.stop());

const WITHIN_MS = 500;
const HOST = { role: "host", id: "hal" } as const;
const texts = (live: Live): string[] => live.state.comments.map((c) => c.text);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** @returns the nodes' own time since then: all of them run in this process */
const change = async (show: string, rules: Partial<Rules>): Promise<() => number> => {
  await world.shows.changeRules(show, rules, HOST);
  return ownTime();
};

/** A room with a viewer and a host on each node. */
async function room(): Promise<{ show: string; ann: Live; bob: Live; hal: Live }> {
  const show = await world.show();
  const [ann, bob, hal] = await Promise.all([
    world.join(one, show, "ann"),
    world.join(two, show, "bob"),
    world.join(one, show, "hal", { role: "host" }),
  ]);
  return { show, ann, bob, hal };
}

test("[MOD10] slow mode is on everywhere within 500 ms, shown to viewers, and holds across nodes", async () => {
  const { show, ann, bob, hal } = await room();
  const heard: number[] = [];
  bob.on("slowModeChanged", ({ slowModeMs }) => heard.push(slowModeMs));
  const sinceChangedMs = await change(show, { slowModeMs: 60_000 });
  await until(() => bob.state.slowModeMs === 60_000 && ann.state.slowModeMs === 60_000, 10_000);
  expect(sinceChangedMs()).toBeLessThan(WITHIN_MS);
  expect(heard).toEqual([60_000]);
  const saidAtMs = performance.now();
  expect(await bob.comment("one")).toMatchObject({ result: "accepted" });
  const tooFast = await bob.comment("two");
  expect(tooFast.result).toBe("tooFast");
  expect(tooFast.retryAfterMs).toBeGreaterThan(59_000 - (performance.now() - saidAtMs));
  // The same viewer on the other node.
  const tab = await world.join(one, show, "bob");
  await until(() => texts(tab).includes("one"));
  expect((await tab.comment("three")).result).toBe("tooFast");
  expect((await hal.comment("a")).result).toBe("accepted");
  expect((await hal.comment("b")).result).toBe("accepted");
  await change(show, { slowModeMs: 1000 });
  await until(() => tab.state.slowModeMs === 1000);
  await pause(Math.max(0, saidAtMs + 2000 - performance.now()));
  expect((await tab.comment("four")).result).toBe("accepted");
  const late = await world.join(two, show, "late");
  expect(late.state.slowModeMs).toBe(1000);
  const sinceOffMs = await change(show, { slowModeMs: 0 });
  await until(() => late.state.slowModeMs === 0);
  expect(sinceOffMs()).toBeLessThan(WITHIN_MS);
  await until(() => tab.state.slowModeMs === 0);
  expect((await tab.comment("five")).result).toBe("accepted");
});

test("[MOD10] words and links are in force on the other node within 500 ms, 5,000 words too; others hear nothing of it", async () => {
  const { show, ann, bob, hal } = await room();
  const { offset } = ann.state;
  const blockedWords = [
    ...Array.from({ length: 4999 }, (_, i) => `坏${String.fromCodePoint(0x4e00 + i)}词`),
    "加微信",
  ];
  const sinceMs = await change(show, { blockedWords, maskedWords: ["笨蛋"], links: "hosts" });
  await until(() => sinceMs() > WITHIN_MS - 50, 10_000);
  expect((await bob.comment("快 加 微 信")).result).toBe("blocked");
  expect((await bob.comment("看 taobao 点 com")).result).toBe("blocked");
  expect((await ann.comment("坏一词")).result).toBe("blocked");
  expect((await bob.comment("你这个笨 蛋")).result).toBe("accepted");
  await until(() => texts(ann).includes("你这个* *"));
  expect((await hal.comment("加微信 taobao.com")).result).toBe("accepted");
  expect(ann.state.offset).toBe(offset);
  // A node that starts now has the rules before its first viewer.
  const fresh = await world.gateway();
  const late = await world.join(fresh, show, "late");
  expect((await late.comment("加微信")).result).toBe("blocked");
  await fresh.stop();
});

test("[MOD11] a shadow-banned viewer sees all as usual; nobody else sees a word, on any node, now or later", async () => {
  const { show, ann, bob, hal } = await room();
  expect(await world.shows.shadowBan(show, "bob", HOST)).toBe("changed");
  expect(await world.shows.shadowBan(show, "bob", HOST)).toBe("same");
  await pause(WITHIN_MS / 2);
  const answer = await bob.comment("买我的假货");
  expect(answer).toMatchObject({ result: "accepted", retryAfterMs: 0 });
  await until(() => texts(bob).includes("买我的假货"));
  await ann.comment("hi");
  await until(() => texts(bob).includes("hi") && texts(hal).includes("hi"));
  const elsewhere = await world.join(one, show, "bob");
  expect(texts(elsewhere)).toEqual(["买我的假货", "hi"]);
  const [late, fresh] = [await world.join(two, show, "late"), await world.gateway()];
  const other = await world.join(fresh, show, "other");
  for (const live of [ann, hal, late, other]) expect(texts(live)).toEqual(["hi"]);
  expect(texts(await world.join(fresh, show, "bob"))).toEqual(["买我的假货", "hi"]);
  await fresh.stop();
  await world.shows.shadowUnban(show, "bob", HOST);
  await pause(WITHIN_MS / 2);
  await bob.comment("正常");
  await until(() => texts(ann).includes("正常"));
  expect(texts(ann)).not.toContain("买我的假货");
});

test("[MOD12] a comment is pinned and unpinned on every screen; deleting it takes it down", async () => {
  const { show, ann, bob } = await room();
  const pins: (string | undefined)[] = [];
  bob.on("commentPinned", ({ comment }) => pins.push(comment?.text));
  await ann.comment("发货三天内");
  await ann.comment("第二条");
  await until(() => texts(bob).length === 2);
  expect(await world.shows.pinComment(show, 1, HOST)).toBe("pinned");
  expect(await world.shows.pinComment(show, 99, HOST)).toBe("unknown");
  await until(() => bob.state.pinnedComment?.text === "发货三天内", WITHIN_MS);
  expect((await world.join(two, show, "late")).state.pinnedComment).toMatchObject({
    no: 1,
    viewerId: "ann",
  });
  await world.shows.pinComment(show, 2, HOST);
  await until(() => bob.state.pinnedComment?.no === 2, WITHIN_MS);
  expect(await world.shows.unpinComment(show, 1, HOST)).toBe("other");
  await world.shows.deleteComment(show, 2, HOST);
  await until(() => bob.state.pinnedComment === undefined && texts(bob).length === 1, WITHIN_MS);
  expect(await world.shows.pinComment(show, 2, HOST)).toBe("deleted");
  await world.shows.pinComment(show, 1, HOST);
  await world.shows.unpinComment(show, 1, HOST);
  await until(() => pins.length === 5, WITHIN_MS);
  expect(pins).toEqual(["发货三天内", "第二条", undefined, "发货三天内", undefined]);
  const fresh = await world.gateway();
  expect((await world.join(fresh, show, "new")).state.pinnedComment).toBeUndefined();
  await fresh.stop();
});

test("[MOD13] newcomers wait, by the time of their first token; a later token does not start it again", async () => {
  const { show } = await room();
  await change(show, { newcomerMs: 60_000 });
  const join = async (viewerId: string, sinceMs?: number): Promise<Live> => {
    const identity = { show, viewerId, role: "viewer", name: viewerId } as const;
    const token = await world.tokens.sign({
      ...identity,
      ...(sinceMs === undefined ? {} : { sinceMs }),
    });
    return world.join(two, show, viewerId, { token });
  };
  await pause(WITHIN_MS / 2);
  const newcomer = await (await join("new")).comment("hi");
  expect(newcomer.result).toBe("tooFast");
  expect(newcomer.retryAfterMs).toBeGreaterThan(55_000);
  expect((await (await join("old", Date.now() - 61_000)).comment("hi")).result).toBe("accepted");
  const first = await world.shows.claim(show, "eve");
  await pause(20);
  expect(await world.shows.claim(show, "eve")).toEqual({ isNew: false, sinceMs: first.sinceMs });
});

test("[MOD14] many saying the same on two nodes: receipts balance, and the counts are what was said", async () => {
  const { show, hal } = await room();
  const crowd = await Promise.all(
    Array.from({ length: 40 }, (_, i) => world.join(i % 2 === 0 ? one : two, show, `v${i}`)),
  );
  const silent = await world.join(one, show, "silent");
  const said = crowd.map((live, i) => live.comment(i % 4 === 0 ? `c${i}` : "666"));
  for (const { result } of await Promise.all(said)) expect(result).toBe("accepted");
  const watcher = crowd[1] as Live;
  await until(() => texts(hal).includes("c0"));
  await pause(1300);
  const sixes = silent.state.comments.filter((c) => c.text === "666");
  expect(sixes.reduce((sum, c) => sum + c.count, 0)).toBe(30);
  expect(sixes.length).toBeLessThanOrEqual(3);
  // The host hears each by itself.
  expect(hal.state.comments).toHaveLength(40);
  for (const { accepted, shown, sampled, thinned, slow } of [hal, silent].map(
    (l) => l.state.receipt,
  ))
    expect([accepted, shown + sampled + thinned + slow]).toEqual([40, 40]);
  // Everybody sees their own at once.
  for (const [i, live] of crowd.entries())
    expect(
      live.state.comments.some((c) => c.viewerId === `v${i}`),
      `v${i}`,
    ).toBe(true);
  expect(watcher.state.comments.length).toBeGreaterThan(0);
  for (const live of crowd) live.close();
});

test("[MOD15] the audit log has every deed once, in order, with who, what and whom", async () => {
  const { show, ann } = await room();
  await ann.comment("x");
  await until(() => texts(ann).length === 1);
  await world.shows.mute(show, "ann", 1000, HOST);
  await world.shows.unmute(show, "ann", HOST);
  await world.shows.shadowBan(show, "ann", { role: "moderator", id: "mo" });
  await world.shows.shadowUnban(show, "ann", { role: "admin", id: "" });
  await world.shows.pinComment(show, 1, HOST);
  await world.shows.unpinComment(show, 1, HOST);
  await world.shows.deleteComment(show, 1, HOST);
  await world.shows.deleteComment(show, 1, HOST);
  await change(show, { slowModeMs: 1000, blockedWords: ["a", "b"] });
  await change(show, { slowModeMs: 1000 });
  const entries = (await world.shows.auditOf(show, 100)).toReversed();
  expect(
    entries.map(({ role, by, did, to, detail }) => `${role} ${by} ${did} ${to} ${detail}`),
  ).toEqual([
    "host hal mute ann forMs=1000",
    "host hal unmute ann ",
    "moderator mo shadowBan ann ",
    "admin  shadowUnban ann ",
    "host hal pinComment 1 author=ann",
    "host hal unpinComment 1 ",
    "host hal deleteComment 1 author=ann",
    "host hal rules  slowModeMs=1000 blockedWords=2 words",
  ]);
  for (const [i, { atMs }] of entries.entries()) {
    expect(Math.abs(atMs - Date.now())).toBeLessThan(20_000);
    if (i > 0) expect(atMs).toBeGreaterThanOrEqual(entries[i - 1]?.atMs ?? Infinity);
  }
  const older = await world.shows.auditOf(show, 3, entries.at(-1)?.id);
  expect(older.map(({ did }) => did)).toEqual(["deleteComment", "unpinComment", "pinComment"]);
  expect(await world.store.xlen(showKeys(show).audit)).toBe(8);
});

test("[MOD16] the room's rate is one for both nodes", async () => {
  const { show } = await room();
  await change(show, { roomPerSecond: 10 });
  await pause(WITHIN_MS / 2);
  const crowd = await Promise.all(
    Array.from({ length: 40 }, (_, i) => world.join(i % 2 === 0 ? one : two, show, `v${i}`)),
  );
  const startedMs = performance.now();
  const results: string[] = [];
  for (const live of crowd) {
    results.push((await live.comment(live.state.viewerId)).result);
    await pause(15);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const accepted = results.filter((r) => r === "accepted").length;
  expect(accepted).toBeGreaterThanOrEqual(10);
  // Two more for what is on its way between the nodes.
  expect(accepted).toBeLessThanOrEqual(10 + 10 * seconds + 2);
  for (const live of crowd) live.close();
});

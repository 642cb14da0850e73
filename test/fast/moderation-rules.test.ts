import fc from "fast-check";
import { expect, test } from "vitest";
import { type Comment, emptyRoom, fold, type Role } from "#wire";
import { packValue } from "#wire/server";
import { createEchoes } from "../../server/room/echoes.ts";
import { createLanes } from "../../server/room/lanes.ts";
import type { Feed } from "../../server/room/shards.ts";
import { shardsOf } from "../helpers/lanes.ts";
import { openGate } from "../../server/room/moderation/gate.ts";
import { createMerging, sameText } from "../../server/room/moderation/merging.ts";
import {
  compile,
  type CompiledRules,
  NO_RULES,
  type Rules,
  verdict,
} from "../../server/room/moderation/rules.ts";
import { atOnce } from "../../server/room/moderation/slices.ts";

const rulesOf = (rules: Partial<Rules>): CompiledRules =>
  atOnce(compile({ ...NO_RULES, ...rules }));
const facts = (role: Role = "viewer", over = {}) => ({
  role,
  ageMs: Infinity,
  quietMs: Infinity,
  isShadowed: false,
  ...over,
});
const comment = (no: number, text: string, over: Partial<Comment> = {}): Comment => ({
  no,
  viewerId: `v${no}`,
  name: "n",
  role: "viewer",
  text,
  count: 1,
  ...over,
});

test("[MOD4] a verdict says what happens to a comment, and why", () => {
  const rules = rulesOf({
    blockedWords: ["赌博"],
    maskedWords: ["darn", "笨蛋"],
    links: "hosts",
    slowModeMs: 5000,
    newcomerMs: 60_000,
  });
  const say = (text: string, role: Role = "viewer", over = {}) =>
    verdict(rules, facts(role, over), text);
  expect(say("你好")).toEqual({ word: "accepted", text: "你好" });
  expect(say("来賭-博吧")).toEqual({ word: "blocked", reason: "word" });
  expect(say("a.com")).toEqual({ word: "blocked", reason: "link" });
  expect(say("Ｄａｒｎ it, 你这个笨 蛋!")).toEqual({
    word: "accepted",
    text: "**** it, 你这个* *!",
  });
  expect(say("x", "viewer", { quietMs: 2000 })).toMatchObject({
    word: "tooFast",
    reason: "slow",
    retryAfterMs: 3000,
  });
  expect(say("x", "viewer", { ageMs: 59_000.5 })).toMatchObject({
    word: "tooFast",
    reason: "new",
    retryAfterMs: 1000,
  });
  expect(say("x", "viewer", { isShadowed: true })).toEqual({ word: "shadowed", text: "x" });
  for (const role of ["host", "moderator", "operator"] as const)
    expect(say("赌博 a.com", role, { quietMs: 0, ageMs: 0, isShadowed: true })).toEqual({
      word: "accepted",
      text: "赌博 a.com",
    });
  expect(verdict(rulesOf({ links: "block" }), facts("host"), "a.com").word).toBe("blocked");
});

test("[MOD4] a masked text keeps every character that is not of the word, in its place", () => {
  const rules = rulesOf({ maskedWords: ["微信", "spam", "𝓪𝓫"] });
  const piece = fc.constantFrom("微 信", "ｓｐａｍ", "s.p.a.m", "👍", "你好", " ", "🅢🅟🅐🅜", "ok, ");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const text = pieces.join("");
      const said = verdict(rules, facts(), text);
      const before = Array.from(text);
      const after = Array.from(said.word === "accepted" ? said.text : "");
      expect(after).toHaveLength(before.length);
      for (const [i, character] of after.entries())
        if (character !== "*") expect(character).toBe(before[i]);
      expect(after.join("")).not.toMatch(/微|信/);
    }),
  );
});

const author = (viewerId: string, seq: number, over = {}) => ({
  viewerId,
  client: "c",
  seq,
  role: "viewer" as const,
  sinceMs: 0,
  ...over,
});

test("[MOD6] slow mode holds for a viewer over all nodes, and not for a command that is sent again", async () => {
  let nowMs = 100_000;
  const gate = await openGate(
    { rules: { slowModeMs: "5000" }, shadowed: [], removed: [] },
    () => nowMs,
  );
  expect(gate.judge(author("ann", 1), "a").result).toBe("accepted");
  nowMs += 1000;
  expect(gate.judge(author("ann", 2), "b")).toEqual({ result: "tooFast", retryAfterMs: 4000 });
  expect(gate.judge(author("ann", 1), "a").result).toBe("accepted");
  expect(gate.judge(author("bob", 1), "a").result).toBe("accepted");
  gate.heard([{ viewerId: "cat", client: "other", seq: 9 }], nowMs);
  expect(gate.judge(author("cat", 1), "a").result).toBe("tooFast");
  expect(gate.judge(author("hal", 1, { role: "host" }), "a").result).toBe("accepted");
  expect(gate.judge(author("hal", 2, { role: "host" }), "a").result).toBe("accepted");
  nowMs += 4000;
  expect(gate.judge(author("ann", 2), "b").result).toBe("accepted");
  gate.stop();
});

test("[MOD6] the room's rate counts what other nodes let in, and what is on its way", async () => {
  let nowMs = 0;
  const gate = await openGate(
    { rules: { roomPerSecond: "4" }, shadowed: [], removed: [] },
    () => nowMs,
  );
  gate.heard([{ viewerId: "x", client: "c", seq: 1 }], nowMs);
  gate.heard([{ viewerId: "y", client: "c", seq: 1 }], nowMs);
  const results = [1, 2, 3].map((i) => gate.judge(author(`v${i}`, 1), "a").result);
  expect(results).toEqual(["accepted", "accepted", "tooFast"]);
  gate.settled();
  gate.heard([{ viewerId: "v1", client: "c", seq: 1 }], nowMs);
  expect(gate.judge(author("v3", 1), "a")).toEqual({ result: "tooFast", retryAfterMs: 250 });
  expect(gate.judge(author("mod", 1, { role: "moderator" }), "a").result).toBe("accepted");
  gate.settled();
  nowMs += 250;
  expect(gate.judge(author("v3", 1), "a").result).toBe("accepted");
});

test("[MOD6] changes come from the log: the latest list is in force, whatever was still being built", async () => {
  const gate = await openGate({ rules: {}, shadowed: ["eve"], removed: [] }, () => 0);
  const change = (words: readonly string[]): unknown =>
    gate.take(packValue(["rules", [["blockedWords", JSON.stringify(words)]]]));
  change(Array.from({ length: 4000 }, (_, i) => `word${i}x`));
  change(["茶"]);
  await expect.poll(() => gate.judge(author("a", 1), "好茶").result).toBe("blocked");
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(gate.judge(author("a", 1), "word7x").result).toBe("accepted");
  expect(gate.judge(author("eve", 1), "hi")).toMatchObject({ isHidden: true });
  gate.take(packValue(["shadow", "eve", 0]));
  gate.take(packValue(["shadow", "bob", 1]));
  expect(gate.judge(author("eve", 1), "hi")).toMatchObject({ isHidden: false });
  expect(gate.judge(author("bob", 1), "hi")).toMatchObject({ isHidden: true });
  gate.stop();
});

test("[MOD7] the same words by many become one comment with their number; nothing is lost, nothing doubled", () => {
  const said = fc.array(
    fc.record({
      text: fc.constantFrom("666", "６６６", "666!", "好", "1.5", "15"),
      afterMs: fc.nat(400),
      host: fc.boolean(),
    }),
    { maxLength: 80 },
  );
  fc.assert(
    fc.property(said, (list) => {
      const merging = createMerging();
      const out: Comment[] = [];
      let nowMs = 0;
      for (const [i, { text, afterMs, host }] of list.entries()) {
        nowMs += afterMs;
        out.push(...merging.due(nowMs));
        const first = merging.take(comment(i + 1, text, { role: host ? "host" : "viewer" }), nowMs);
        if (first !== undefined) out.push(first);
      }
      out.push(...merging.due(nowMs + 1000));
      const count = (key: string): number =>
        out.filter((c) => sameText(c.text) === key).reduce((sum, c) => sum + c.count, 0);
      for (const key of ["666", "好", "1.5", "15"])
        expect(count(key)).toBe(list.filter(({ text }) => sameText(text) === key).length);
      expect(new Set(out.map((c) => c.no)).size).toBe(out.length);
      for (const c of out) if (c.role === "host") expect(c.count).toBe(1);
    }),
  );
});

test("[MOD7] 38 × 666 in a second are two comments, and each frame's receipt balances: accepted = counts + skipped", () => {
  const frames: { accepted: number; skipped: number; comments: readonly Comment[] }[] = [];
  let nowMs = 0;
  const lanes = createLanes({
    shards: shardsOf(({ feed, frame }) => {
      if (frame.kind === "comments" && feed === "full") frames.push(frame);
    }),
    chance: Math.random,
    nowMs: () => nowMs,
  });
  let no = 0;
  for (; nowMs < 1200; nowMs += 50) {
    if (nowMs < 950) lanes.comments([comment(++no, "666"), comment(++no, " ６６６ ")]);
    if (nowMs === 500) lanes.comments(Array.from({ length: 90 }, () => comment(++no, `c${no}`)));
    lanes.tick();
  }
  const sixes = frames.flatMap((f) => f.comments.filter((c) => sameText(c.text) === "666"));
  expect(sixes.map((c) => c.count)).toEqual([1, 37]);
  for (const { accepted, skipped, comments } of frames)
    expect(comments.reduce((sum, c) => sum + c.count, 0) + skipped).toBe(accepted);
  expect(frames.reduce((sum, f) => sum + f.accepted, 0)).toBe(no);
  expect(lanes.receipt.shown + lanes.receipt.skipped).toBe(lanes.receipt.accepted);
  lanes.stop();
});

const by = (no: number, viewerId: string): Comment => comment(no, "x", { viewerId });

test("[MOD8] authors get what the sample left out, and what is hidden, as theirs alone", () => {
  const sent: string[] = [];
  const feeds: Readonly<Record<string, Feed>> = {
    ann: "full",
    bob: "full",
    eve: "full",
    low: "lite",
  };
  const echoes = createEchoes({
    isHere: (viewerId) => viewerId in feeds,
    here: (viewerId) => [{ viewerId, feed: feeds[viewerId] ?? "core" }],
    send: ({ viewerId }, list) => void sent.push(`${viewerId}: ${list.map((c) => c.no).join()}`),
  });
  echoes.said([by(1, "ann"), by(2, "ann"), by(3, "bob"), by(4, "far"), by(7, "low")]);
  echoes.hid([by(5, "eve"), by(6, "far")]);
  const none = new Set<number>();
  const nothing = { full: none, lite: none, core: none, crew: none };
  echoes.tick({ ...nothing, full: new Set([1, 3, 7]) });
  expect(sent).toEqual(["ann: 2", "low: 7", "eve: 5"]);
  echoes.tick(nothing);
  expect(sent).toHaveLength(3);
  expect(echoes.hiddenOf("far").map((c) => c.no)).toEqual([6]);
  expect(echoes.hiddenOf("ann")).toEqual([]);
});

test("[MOD8] one's own comment, echoed at once, becomes the one with the count", () => {
  const room = emptyRoom();
  const frame = {
    kind: "comments",
    tick: 1,
    atMs: 0,
    accepted: 0,
    skipped: 0,
    thinned: 0,
    upTo: 0,
  } as const;
  fold(room, { ...frame, comments: [comment(7, "666")] });
  expect(fold(room, { ...frame, comments: [comment(7, "666")] })).toBe(false);
  expect(fold(room, { ...frame, comments: [comment(7, "666", { count: 38 })] })).toBe(true);
  expect(room.comments).toEqual([comment(7, "666", { count: 38 })]);
});

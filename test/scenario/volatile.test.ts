/** Lane V: comments are accepted or refused with a word, shown or counted as skipped, echoed to their author, and never doubled. */
import { expect } from "vitest";
import { CLOSES, encodeUp, LIMITS } from "#wire";
import { until } from "../helpers/rooms.ts";
import { type Stage, stageOf, type Viewer } from "./runtime.ts";

const scenario = stageOf();
const HOST = { role: "host", id: "hal" } as const;
/** DESIGN's promise for moderation on every node. */
const EVERYWHERE_MS = 500;

const texts = ({ live }: Viewer): string[] => live.state.comments.map((c) => c.text);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** Own comments that came, in whatever frame. */
const ownSeen = (viewer: Viewer): number =>
  viewer.frames
    .flatMap((f) => (f.kind === "comments" ? f.comments : []))
    .filter((c) => c.viewerId === viewer.live.state.viewerId).length;
const gone = (v: Viewer): boolean => v.live.state.comments.every((c) => c.no > 3);
const accounted = (viewers: readonly Viewer[], comments: number): Promise<unknown> =>
  until(() => viewers.every(({ receipt }) => receipt.accepted === comments));
const speak = async (viewers: readonly Viewer[], s: Stage, each: number): Promise<number> => {
  const answers = await Promise.all(
    viewers.flatMap(({ live }, v) =>
      Array.from({ length: each }, (_, i) => live.comment(`${v}-${i} ${s.chance.below(1e6)}`)),
    ),
  );
  return answers.filter(({ result }) => result === "accepted").length;
};

scenario("[SCV1] in a flood every viewer's receipts add up to what was accepted", async (s) => {
  const crowd = await s.crowd(30);
  const accepted = await speak(crowd, s, 5);
  expect(accepted).toBe(150);
  await accounted(crowd, accepted);
  for (const { receipt } of crowd) expect(receipt.shown + receipt.skipped).toBe(accepted);
});

scenario(
  "[SCV2] everybody sees their own comments, also those that the sample left out",
  async (s) => {
    const crowd = await s.crowd(24);
    await speak(crowd, s, 5);
    await until(() => crowd.every((viewer) => ownSeen(viewer) >= 5));
  },
);

scenario("[SCV3] the same words by many are one comment with their number", async (s) => {
  const crowd = await s.crowd(20);
  await Promise.all(crowd.map(({ live }) => live.comment("抢到了！")));
  await accounted(crowd, 20);
  const counts = (crowd[0] as Viewer).frames.flatMap((f) =>
    f.kind === "comments" && f.accepted > 0 ? f.comments.map((c) => c.count) : [],
  );
  expect(counts.reduce((sum, n) => sum + n, 0)).toBe(20);
  expect(Math.max(...counts)).toBeGreaterThan(1);
});

scenario(
  "[SCV4] a muted viewer is refused on both nodes within 500 ms, and heard again after",
  async (s) => {
    const tabs = [await s.viewer("ann"), await s.viewer("ann", { at: s.two })];
    await s.world.shows.mute(s.show, "ann", 60_000, HOST);
    await pause(EVERYWHERE_MS);
    for (const { live } of tabs) expect((await live.comment("还在吗")).result).toBe("muted");
    await s.world.shows.unmute(s.show, "ann", HOST);
    await until(() => tabs.every(({ live }) => live.state.mutedUntilMs === 0));
    for (const [i, { live }] of tabs.entries())
      expect((await live.comment(`回来了 ${i}`)).result).toBe("accepted");
  },
);

scenario(
  "[SCV5] a hidden comment is its author's alone, on both nodes, now and after a cut",
  async (s) => {
    const cable = await s.cable(s.one);
    const [bob, ann] = [await s.viewer("bob", { at: cable }), await s.viewer("ann", { at: s.two })];
    await s.world.shows.shadowBan(s.show, "bob", HOST);
    await pause(EVERYWHERE_MS);
    expect((await bob.live.comment("加微信")).result).toBe("accepted");
    await until(() => texts(bob).includes("加微信"));
    cable.cut();
    await until(() => bob.seen.resumes.length === 1);
    await ann.live.comment("你好");
    await until(() => texts(ann).includes("你好") && texts(bob).includes("你好"));
    expect(texts(ann)).not.toContain("加微信");
    expect(texts(bob)).toContain("加微信");
    expect(ann.receipt.accepted).toBe(1);
  },
);

scenario("[SCV6] a comment deleted in a flood leaves every screen", async (s) => {
  const crowd = await s.crowd(10);
  await speak(crowd, s, 2);
  const { commentNo } = await s.booked();
  await Promise.all([1, 2, 3].map((no) => s.world.shows.deleteComment(s.show, no, HOST)));
  expect(Number(commentNo)).toBe(20);
  await accounted(crowd, 20);
  await until(() => crowd.every(gone));
  const late = await s.viewer("late");
  expect(gone(late)).toBe(true);
});

scenario("[SCV7] slow mode holds on both nodes within 500 ms", async (s) => {
  const tabs = [await s.viewer("ann"), await s.viewer("ann", { at: s.two })];
  await s.world.shows.changeRules(s.show, { slowModeMs: 30_000 }, HOST);
  await pause(EVERYWHERE_MS);
  expect(tabs.map(({ live }) => live.state.slowModeMs)).toEqual([30_000, 30_000]);
  expect((await tabs[0]?.live.comment("一"))?.result).toBe("accepted");
  await pause(EVERYWHERE_MS);
  const refused = await tabs[1]?.live.comment("二");
  expect(refused?.result).toBe("tooFast");
  expect(refused?.retryAfterMs).toBeGreaterThan(20_000);
});

scenario(
  "[SCV8] banned words are refused and masked ones starred, on both nodes within 500 ms",
  async (s) => {
    const [ann, bob] = [await s.viewer("ann"), await s.viewer("bob", { at: s.two })];
    await s.world.shows.changeRules(
      s.show,
      { blockedWords: ["假货"], maskedWords: ["傻瓜"], links: "hosts" },
      HOST,
    );
    await pause(EVERYWHERE_MS);
    for (const { live } of [ann, bob]) {
      expect((await live.comment("全是假 货")).result).toBe("blocked");
      expect((await live.comment("https://x.example")).result).toBe("blocked");
    }
    expect((await bob.live.comment("你这傻瓜")).result).toBe("accepted");
    await until(() => texts(ann).length === 1 && texts(bob).length === 1);
    expect(texts(ann)[0]).not.toContain("傻瓜");
  },
);

scenario("[SCV9] too fast is an answer with a wait that is true", async (s) => {
  const { live } = await s.viewer("ann");
  for (let i = 0; i < LIMITS.commentBurst; i++)
    expect((await live.comment(`c${i}`)).result).toBe("accepted");
  const refused = await live.comment("one more");
  expect(refused.result).toBe("tooFast");
  await pause(refused.retryAfterMs + 50);
  expect((await live.comment("now")).result).toBe("accepted");
});

scenario("[SCV10] a comment whose answer was lost is sent again and stands once", async (s) => {
  const cable = await s.cable(s.one);
  const [ann, bob] = [await s.viewer("ann", { at: cable }), await s.viewer("bob", { at: s.two })];
  for (let i = 0; i < 4; i++) {
    const said = ann.live.comment(`${i}`);
    await pause(s.chance.below(30));
    cable.cut();
    expect((await said).result).toBe("accepted");
    await until(() => texts(bob).length === i + 1);
  }
  expect(texts(bob)).toEqual(["0", "1", "2", "3"]);
  expect((await s.booked())["commentNo"]).toBe("4");
});

scenario(
  "[SCV11] the longest comment passes, a longer one is refused with badField, blanks with an answer",
  async (s) => {
    const ann = await s.viewer("ann");
    const longest = "茶".repeat(LIMITS.maxCommentChars);
    expect((await ann.live.comment(longest)).result).toBe("accepted");
    expect((await ann.live.comment(" \t\n ")).result).toBe("blocked");
    await until(() => texts(ann)[0] === longest);
    const raw = await s.greeted("bob");
    raw.send(encodeUp("comment", { id: 1, seq: 1, text: `${longest}!` }));
    expect((await raw.closed).code).toBe(CLOSES.badField.code);
  },
);

scenario("[SCV12] any script and any sign arrives as it was written", async (s) => {
  const [ann, bob] = [await s.viewer("ann"), await s.viewer("bob", { protocol: "json" })];
  const said = ["👩‍👩‍👧‍👦 在吗", "مرحبا بالعالم", "e\u0301 ≠ é", '"[1,2]"\\u0000</script>', "𠮷野家"];
  for (const text of said) await ann.live.comment(text);
  await until(() => texts(bob).length === said.length);
  expect(texts(bob)).toEqual(said);
});

scenario("[SCV13] who comes late has the newest comments, in order", async (s) => {
  const hosts = await s.crowd(4, { role: "host" });
  await speak(hosts, s, 20);
  await accounted(hosts, 80);
  for (const at of [s.one, s.two]) {
    const late = await s.viewer(`late${at.node}`, { at });
    const nos = late.live.state.comments.map((c) => c.no);
    expect(nos).toEqual(Array.from({ length: LIMITS.maxRecentComments }, (_, i) => 31 + i));
  }
});

scenario(
  "[SCV14] a comment on top is the same on every screen, through cuts and changes of node",
  async (s) => {
    const cables = [await s.cable(s.one), await s.cable(s.two)];
    const ann = await s.viewer("ann", { at: cables });
    for (let no = 1; no <= 4; no++) {
      await ann.live.comment(`第${no}条`);
      await s.world.shows.pinComment(s.show, no, HOST);
      if (no % 2 === 0) cables.forEach((cable) => cable.cut());
      await until(() => ann.live.state.pinnedComment?.no === no);
    }
    await s.world.shows.unpinComment(s.show, 4, HOST);
    await until(() => ann.live.state.pinnedComment === undefined);
  },
);

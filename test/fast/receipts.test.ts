import fc from "fast-check";
import { expect, test } from "vitest";
import { inboxOf } from "../helpers/inbox.ts";

test("[SDK12] every comment that was accepted is shown, sampled, thinned or late by the client's own count, whatever frames it missed; late ones are not shown", () => {
  const portion = fc.record({
    shown: fc.nat(20),
    sampled: fc.nat(20),
    thinned: fc.nat(20),
    fate: fc.constantFrom("read", "read", "late", "missed"),
  });
  fc.assert(
    fc.property(fc.array(portion, { minLength: 1, maxLength: 40 }), (portions) => {
      let nowMs = 1e6;
      const { take, state } = inboxOf(() => nowMs);
      let [upTo, no, tick, firstFrom, lastUpTo] = [70, 0, 0, -1, 0];
      const expected = { shown: 0, sampled: 0, thinned: 0 };
      const shownNos = new Set<number>();
      for (const { shown, sampled, thinned, fate } of portions) {
        const accepted = shown + sampled + thinned;
        if (accepted === 0) continue;
        const comments = Array.from({ length: shown }, () => ({
          no: ++no,
          viewerId: "v",
          name: "n",
          role: "viewer" as const,
          text: "t",
          count: 1,
        }));
        upTo += accepted;
        nowMs += 100;
        const atMs = fate === "late" ? nowMs - 60_000 : nowMs - 300;
        const skipped = sampled + thinned;
        if (fate === "missed") continue;
        take({ kind: "comments", tick: ++tick, atMs, accepted, skipped, thinned, upTo, comments });
        if (firstFrom < 0) firstFrom = upTo - accepted;
        lastUpTo = upTo;
        if (fate === "late") continue;
        expected.shown += shown;
        expected.sampled += sampled;
        expected.thinned += thinned;
        for (const comment of comments) shownNos.add(comment.no);
      }
      const { receipt } = state;
      expect(receipt).toMatchObject(expected);
      expect(receipt.accepted).toBe(firstFrom < 0 ? 0 : lastUpTo - firstFrom);
      expect(receipt.shown + receipt.sampled + receipt.thinned + receipt.slow).toBe(
        receipt.accepted,
      );
      for (const comment of state.comments) expect(shownNos.has(comment.no)).toBe(true);
    }),
  );
});

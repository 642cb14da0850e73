import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type DownFrame, emptyRoom, fold, fromSnapshot, toSnapshot } from "#wire";
import { createCommands } from "../../client-sdk/commands.ts";
import { createReactions } from "../../client-sdk/reactions.ts";
import { frameOf } from "../frames.ts";
import { inboxOf } from "../helpers/inbox.ts";

test("[SDK1] the core without media is at most 15 kB minified and gzipped", async () => {
  const out = await build({
    entryPoints: ["client-sdk/index.ts"],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    // Loaded at first use, as its own file.
    external: ["./media/index.ts", "./passes.ts", "./sse.ts"],
    write: false,
  });
  const bytes = gzipSync(out.outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length;
  expect(bytes).toBeGreaterThan(5000);
  expect(bytes).toBeLessThanOrEqual(15_000);
});

test("[SDK5] a like is counted once, whatever is lost and sent again", () => {
  const step5 = fc.oneof(
    fc.record({ do: fc.constant("tap"), n: fc.integer({ min: 1, max: 3000 }) }),
    fc.record({ do: fc.constantFrom("flush", "deliver", "lose", "reconnect") }),
  ) as fc.Arbitrary<{ do: "tap" | "flush" | "deliver" | "lose" | "reconnect"; n?: number }>;
  fc.assert(
    fc.property(fc.array(step5, { maxLength: 60 }), (steps) => {
      let wire: { seq: number; likes: number }[] = [];
      let [tapped, total, lastSeq] = [0, 0, 0];
      const reactions = createReactions((batch) => wire.push({ ...batch }));
      const deliver = (confirmed: boolean): void => {
        for (const { seq, likes } of wire) {
          if (seq > lastSeq) [lastSeq, total] = [seq, total + likes];
          if (confirmed) reactions.applied(seq);
        }
        wire = [];
      };
      for (const s of steps) {
        if (s.do === "tap") {
          tapped += s.n ?? 0;
          reactions.add(s.n ?? 0, 0);
        } else if (s.do === "flush") reactions.flush();
        else if (s.do === "reconnect") {
          wire = [];
          reactions.resend();
        } else deliver(s.do === "deliver");
      }
      for (let i = 0; i < 100 && reactions.waiting.likes > 0; i++) {
        reactions.resend();
        reactions.flush();
        deliver(true);
      }
      expect(total).toBe(tapped);
    }),
    { numRuns: 500 },
  );
});

test("[SDK6] a command is sent again with the same key until it is answered, then never", () => {
  const sent: { name: string; key: string; attempt: number }[] = [];
  const commands = createCommands({
    send: (name, body) => sent.push({ name, ...(body as { key: string; attempt: number }) }),
    nowMs: () => 0,
    later: (fn) => fn(),
  });
  void commands.ask("hold", { key: "k1", dropId: "d", quantity: 1 });
  commands.resend();
  commands.failed({ id: 1, code: "storeDown", retryable: true, retryAfterMs: 5 });
  commands.answered(1, {});
  commands.resend();
  expect(sent.map(({ key, attempt }) => [key, attempt])).toEqual([
    ["k1", 0],
    ["k1", 1],
    ["k1", 2],
  ]);
});

test("[SDK6] an unanswered command ends as a retryable fault at its deadline", async () => {
  const commands = createCommands({
    send: () => undefined,
    nowMs: () => 0,
    later: () => undefined,
  });
  const asked = commands.ask("pay", { holdId: "k" }, 1000);
  commands.expire(999);
  commands.expire(1000);
  await expect(asked).rejects.toMatchObject({ code: "timeout", retryable: true });
});

const pin = (offset: number): DownFrame => ({ kind: "pinned", offset, sku: `p${offset}` });

test("[SDK7][I7] whatever is dropped or doubled, lane R is taken in order and without a gap", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ drop: fc.boolean(), twice: fc.boolean() }), { maxLength: 40 }),
      (fates) => {
        const { take, state, asked } = inboxOf();
        let published = 0;
        let answered = 0;
        for (const { drop, twice } of fates) {
          published++;
          if (!drop) take(pin(published));
          if (twice) take(pin(published));
          // The server answers each request for the missing part, in order.
          for (; answered < asked.length; answered++)
            for (let o = (asked[answered] ?? 0) + 1; o <= published; o++) take(pin(o));
        }
        take(pin(++published));
        for (; answered < asked.length; answered++)
          for (let o = (asked[answered] ?? 0) + 1; o <= published; o++) take(pin(o));
        expect(state.offset).toBe(published);
        expect(state.pinned).toEqual(
          Array.from({ length: published }, (_, i) => `p${published - i}`),
        );
      },
    ),
    { numRuns: 300 },
  );
});

test("[SDK8] states and totals never go backwards", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(50), fc.nat(1000))), (updates) => {
      const room = emptyRoom();
      let best = { version: 0, count: 0 };
      for (const [version, count] of updates) {
        fold(room, { kind: "viewersChanged", version, count });
        if (version > best.version) best = { version, count };
        expect([room.viewersVersion, room.viewers]).toEqual([best.version, best.count]);
      }
    }),
  );
});

test("[SDK8] an older stock frame does not reopen a sold out drop, a restock does", () => {
  const { take, state } = inboxOf();
  const drop = {
    dropId: "d",
    sku: "s",
    title: "t",
    priceCents: 1,
    wasCents: 1,
    allotment: 2,
    perBuyerLimit: 1,
    holdMs: 1,
    startsAtMs: 1,
    endsAtMs: 9,
    state: "open",
    version: 1,
    available: 2,
    held: 0,
    sold: 0,
    restockEpoch: 0,
    mode: "fcfs",
    seedHash: "",
    waitlisted: 0,
    waitServed: 0,
    admission: "open",
  } as const;
  take({ kind: "dropAnnounced", offset: 1, drop });
  take({
    kind: "dropSoldOut",
    offset: 2,
    dropId: "d",
    atMs: 5,
    restockEpoch: 0,
    answersTaps: true,
  });
  take({
    kind: "stockChanged",
    dropId: "d",
    version: 2,
    available: 1,
    held: 1,
    sold: 0,
    restockEpoch: 0,
    waitlisted: 0,
    waitServed: 0,
  });
  expect(state.drops.get("d")?.state).toBe("soldOut");
  take({
    kind: "stockChanged",
    dropId: "d",
    version: 4,
    available: 1,
    held: 1,
    sold: 0,
    restockEpoch: 1,
    waitlisted: 0,
    waitServed: 0,
  });
  expect(state.drops.get("d")).toMatchObject({ state: "open", available: 1 });
});

test("[SDK9] a snapshot is the whole room: there and back changes nothing", () => {
  fc.assert(
    fc.property(frameOf("snapshot"), (body) => {
      const room = fromSnapshot(body as never, 7);
      expect(fromSnapshot(toSnapshot(room), 7)).toEqual(room);
    }),
    { numRuns: 50 },
  );
});

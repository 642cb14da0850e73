/** The simulation has teeth: with one broken part it says so, within a few shows. */
import { afterEach, expect, test, vi } from "vitest";
import type * as inbox from "../../client-sdk/inbox.ts";
import type * as reactions from "../../client-sdk/reactions.ts";
import type * as ahead from "../../server/room/ahead.ts";
import type * as log from "../../server/room/log.ts";
import type * as mirror from "../../server/room/mirror.ts";
import type { Run } from "./simulate.ts";

afterEach(() => {
  vi.doUnmock("../../client-sdk/inbox.ts");
  vi.doUnmock("../../client-sdk/reactions.ts");
  vi.doUnmock("../../server/room/log.ts");
  vi.doUnmock("../../server/room/ahead.ts");
  vi.doUnmock("../../server/room/mirror.ts");
  vi.doUnmock("../../server/room/overdue.ts");
  vi.resetModules();
});

/** Plays shows until one of them finds something. */
async function firstFaults(): Promise<readonly string[]> {
  vi.resetModules();
  const { simulate } = (await import("./simulate.ts")) as {
    simulate: (seed: number, busyMs: number) => Promise<Run>;
  };
  for (let seed = 1; seed <= 8; seed++) {
    const { faults } = await simulate(seed, 60_000);
    if (faults.length > 0) return faults;
  }
  return [];
}

test("[SIM3] it finds a client that does not ask for what it misses", async () => {
  vi.doMock("../../client-sdk/inbox.ts", async (original) => {
    const { createInbox } = await original<typeof inbox>();
    return {
      createInbox: (ports: inbox.InboxPorts) =>
        createInbox({ ...ports, askCatchUp: () => undefined }),
    };
  });
  expect((await firstFaults()).join("\n")).toContain("sees");
});

test("[SIM3] it finds a client that numbers its likes anew when it sends them again", async () => {
  vi.doMock("../../client-sdk/reactions.ts", async (original) => {
    const { createReactions } = await original<typeof reactions>();
    let seq = 0;
    return {
      createReactions: (send: Parameters<typeof createReactions>[0]) =>
        createReactions((batch) => send({ ...batch, seq: ++seq })),
    };
  });
  expect((await firstFaults()).join("\n")).toContain("totals");
});

test("[SIM3] it finds a node whose catch-up lacks its last event", async () => {
  vi.doMock("../../server/room/mirror.ts", async (original) => {
    const { createMirror } = await original<typeof mirror>();
    return {
      createMirror(...args: Parameters<typeof createMirror>) {
        const made = createMirror(...args);
        const eventsAfter: typeof made.eventsAfter = (offset) =>
          made.eventsAfter(offset)?.slice(0, -1);
        return Object.assign(Object.create(made) as typeof made, { eventsAfter });
      },
    };
  });
  expect(await firstFaults()).not.toEqual([]);
});

test("[SIM3] it finds a node that lets in who is ahead of it", async () => {
  vi.doMock("../../server/room/ahead.ts", async (original) => {
    const { createAhead } = await original<typeof ahead>();
    return {
      createAhead<M>(ports: ahead.AheadPorts<M>) {
        return { ...createAhead(ports), wait: ports.letIn };
      },
    };
  });
  expect((await firstFaults()).join("\n")).toMatch(/a snapshot of \d+ after event/);
});

test("[SIM3] it finds a node that does not care how far its clients have read", async () => {
  vi.doMock("../../server/room/overdue.ts", () => ({ createOverdue: () => () => false }));
  expect((await firstFaults()).join("\n")).toContain("sees");
});

test("[SIM3] it finds a node that skips what the log has brought in the meantime", async () => {
  vi.doMock("../../server/room/log.ts", async (original) => {
    const real = await original<typeof log>();
    return {
      ...real,
      createLogReader(...args: Parameters<typeof real.createLogReader>): log.LogReader {
        const reader = real.createLogReader(...args);
        return {
          ...reader,
          follow: (show, afterId, onEntries) =>
            reader.follow(show, afterId, (entries) =>
              onEntries(entries.length > 1 ? entries.slice(-1) : entries),
            ),
        };
      },
    };
  });
  expect(await firstFaults()).not.toEqual([]);
});

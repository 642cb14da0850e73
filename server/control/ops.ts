/** `/v1/ops`: one snapshot of everything an operator watches, with the sentence that sums it up. */
import { z } from "zod";
import type { App, Desk } from "./desk.ts";
import { DropView } from "./drop-view.ts";
import { ADMIN, AT_MS, REFUSALS, SHOW_ID } from "./schemas.ts";
import { takeSnapshot } from "./snapshot.ts";
import { judge } from "./verdict.ts";

const Level = z.enum(["ok", "warn", "stop"]);
const Words = z.object({ en: z.string(), zh: z.string() });
const count = z.number().min(0);

const Ops = z.object({
  atMs: AT_MS,
  level: Level,
  sentence: Words,
  remedy: Words.optional(),
  findings: z.array(z.object({ level: Level, sentence: Words, remedy: Words })),
  nodes: z.array(
    z.object({
      node: z.string(),
      role: z.string(),
      pid: z.int(),
      atMs: AT_MS,
      figures: z.record(z.string(), z.number()).describe("by name, with the unit in the name"),
    }),
  ),
  media: z.array(
    z.object({
      node: z.string(),
      untilMs: AT_MS,
      sessions: count,
      workers: z.array(z.object({ pid: z.int(), cpu: count, consumers: count })),
    }),
  ),
  shows: z.array(
    z.object({
      id: SHOW_ID,
      title: z.string(),
      currency: z.string(),
      state: z.enum(["scheduled", "live", "ended"]),
      startedAtMs: AT_MS.optional(),
      viewers: count,
      peakViewers: count,
      likes: count,
      shares: count,
      comments: count,
      products: count,
      orders: count,
      flagged: count.describe("holds that a gateway found something odd about"),
      drops: z.array(DropView),
    }),
  ),
  redis: z.object({
    version: z.string(),
    usedMemoryBytes: count,
    appendfsync: z.string(),
    opsPerSecond: count,
    clients: count,
  }),
  sweeperLagMs: count,
  ledgers: z.object({
    stuck: z.array(z.object({ show: SHOW_ID, reason: z.string() })),
    waiting: z.array(SHOW_ID).describe("for replicas, or for a recovery"),
  }),
  payments: z.object({
    inFlight: count,
    paid: count,
    declined: count,
    refunded: count,
    retries: count,
  }),
});

export function opsRoutes(app: App, desk: Desk): void {
  const wantsMedia = desk.config.mediaWorkers > 0;
  app.get(
    "/v1/ops",
    {
      onRequest: desk.access.only("operator"),
      schema: {
        tags: ["operator"],
        summary: "Live figures and their verdict",
        security: ADMIN,
        response: { 200: Ops, ...REFUSALS },
      },
    },
    async () => {
      const snapshot = await takeSnapshot(desk);
      const verdict = judge(snapshot, wantsMedia);
      // Spread, because the schema's arrays are not readonly; it also strips what it does not name.
      return { ...verdict, ...snapshot } as unknown as z.output<typeof Ops>;
    },
  );
}

/** `/v1/shows/:show/drops`: gives units of a product to a limited sale, shows its books, ends it. All times are Redis TIME. [I9] */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { NewDrop } from "../shop/inventory.ts";
import type { App, Desk } from "./desk.ts";
import { DropView } from "./drop-view.ts";
import { Refused } from "./faults.ts";
import { countReplicas, nowOf, readDrop, readDrops } from "./reading.ts";
import { ADMIN, AT_MS, CENTS, DROP_ID, REFUSALS, ShowParams, SKU } from "./schemas.ts";

const DEFAULT_WINDOW_MS = 10 * 60_000;
const MAX_AHEAD_MS = 366 * 24 * 3_600_000;
/** A start may lie this far back and means "now": clocks differ, and requests take time. */
const MAX_BACK_MS = 60_000;
const MIN_QUEUE_MS = 5000;

const DropRequest = z.strictObject({
  sku: SKU,
  priceCents: CENTS.min(1),
  allotment: z.int().min(1).max(10_000_000).describe("units of the product's stock"),
  perBuyerLimit: z.int().min(1).max(99).default(1),
  holdMs: z.int().min(100).max(3_600_000).default(120_000).describe("time to pay"),
  startsAtMs: AT_MS.optional().describe("default: now"),
  endsAtMs: AT_MS.optional().describe("default: ten minutes after the start"),
  dropId: DROP_ID.optional().describe("default: made here"),
  mode: z
    .enum(["fcfs", "random", "lottery"])
    .default("fcfs")
    .describe(
      "who comes first: order of arrival, or a drawn order of those who queued before the start",
    ),
  admission: z
    .enum(["open", "flagged", "token", "proof"])
    .default("open")
    .describe(
      "what a buyer must show: nothing; a pass asked for before the start; a pass that cost a proof of work; or that only from those whose behaviour looks odd. Pages do it by themselves",
    ),
  durability: z
    .enum(["disk", "replica", "memory"])
    .default("disk")
    .describe(
      "what must hold before a buyer is told “yours”: on disk at the primary, which alone may lose the last moments in a failover; on replicas too; or nothing, for rehearsals",
    ),
});
const DropParams = ShowParams.extend({ dropId: DROP_ID });

export function dropRoutes(app: App, { config, redis, inventory, access, showList }: Desk): void {
  const onRequest = access.only("host");
  const read = async (show: string, dropId: string): Promise<DropView> => {
    const drop = await readDrop(redis, show, dropId);
    if (drop === undefined) throw new Refused("noDrop", { dropId });
    return drop;
  };
  /** Without replicas every buyer would be told "pending" and nothing more. */
  const replicated = async (show: string): Promise<void> => {
    const count = await countReplicas(redis, show);
    if (count >= config.replicas) return;
    throw new Refused("noReplicas", { field: "durability", count, needed: config.replicas });
  };
  app.post(
    "/drops",
    {
      onRequest,
      schema: {
        tags: ["drops"],
        summary: "Announce or open a drop",
        security: ADMIN,
        params: ShowParams,
        body: DropRequest,
        response: { 201: DropView, ...REFUSALS },
      },
    },
    async ({ params: { show }, body }, reply) => {
      const nowMs = await nowOf(redis);
      const drop = timed(body, nowMs);
      enterable(body.mode, drop.startsAtMs, nowMs);
      if (body.durability === "replica") await replicated(show);
      const [answer, units] = await inventory.allot(show, drop);
      // A dropId made here cannot be taken: then ioredis sent the call twice, and it is ours.
      if (answer === "exists" && body.dropId !== undefined)
        throw new Refused("dropExists", { dropId: drop.dropId, field: "dropId" });
      if (answer === "unknownProduct")
        throw new Refused("noProduct", { sku: body.sku, field: "sku" });
      if (answer === "showEnded") throw new Refused("showEnded");
      if (answer === "notRehearsal") throw new Refused("notRehearsal", { field: "durability" });
      if (answer === "shortStock")
        throw new Refused("shortStock", {
          units,
          field: "allotment",
          reason: `product has ${units} units`,
        });
      showList.wake(show);
      return reply.code(201).send(await read(show, drop.dropId));
    },
  );
  app.get(
    "/drops",
    {
      schema: {
        tags: ["drops"],
        summary: "All drops, latest start first",
        params: ShowParams,
        response: { 200: z.object({ drops: z.array(DropView) }), ...REFUSALS },
      },
    },
    async ({ params: { show } }) => ({ drops: await readDrops(redis, show) }),
  );
  app.get(
    "/drops/:dropId",
    {
      schema: {
        tags: ["drops"],
        summary: "One drop and its books",
        params: DropParams,
        response: { 200: DropView, ...REFUSALS },
      },
    },
    ({ params: { show, dropId } }) => read(show, dropId),
  );
  app.post(
    "/drops/:dropId/close",
    {
      onRequest,
      schema: {
        tags: ["drops"],
        summary:
          "End a drop now: holds stand until paid or lapsed, units left go back to the product",
        security: ADMIN,
        params: DropParams,
        response: { 200: DropView, ...REFUSALS },
      },
    },
    async ({ params: { show, dropId } }) => {
      if ((await inventory.close(show, dropId)) === "unknown")
        throw new Refused("noDrop", { dropId });
      return read(show, dropId);
    },
  );
}

/** Before a draw there must be time to enter it. */
function enterable(mode: string, startsAtMs: number, nowMs: number): void {
  if (mode === "fcfs" || startsAtMs >= nowMs + MIN_QUEUE_MS) return;
  wrong(
    "startsAtMs",
    `a drawn drop needs at least ${MIN_QUEUE_MS / 1000} s to queue up`,
    `抽签模式至少需要 ${MIN_QUEUE_MS / 1000} 秒排队时间`,
  );
}

/** Fills in the times. @throws Refused naming the field that cannot be */
function timed(body: z.output<typeof DropRequest>, nowMs: number): NewDrop {
  const { startsAtMs: askedMs, endsAtMs: askedEndMs, dropId, ...rest } = body;
  const startsAtMs = Math.max(askedMs ?? nowMs, nowMs);
  const endsAtMs = askedEndMs ?? startsAtMs + DEFAULT_WINDOW_MS;
  if (askedMs !== undefined && askedMs < nowMs - MAX_BACK_MS)
    wrong(
      "startsAtMs",
      `is ${nowMs - askedMs} ms ago; leave it out to open now`,
      `早于当前时间 ${nowMs - askedMs} 毫秒；立即开抢请不填`,
    );
  if (startsAtMs > nowMs + MAX_AHEAD_MS)
    wrong("startsAtMs", "is more than a year ahead: give milliseconds", "超过一年之后：请使用毫秒");
  if (endsAtMs <= nowMs)
    wrong("endsAtMs", `is ${nowMs - endsAtMs} ms ago`, `早于当前时间 ${nowMs - endsAtMs} 毫秒`);
  if (endsAtMs <= startsAtMs) wrong("endsAtMs", "must be after startsAtMs", "须晚于 startsAtMs");
  if (endsAtMs > startsAtMs + MAX_AHEAD_MS)
    wrong(
      "endsAtMs",
      "is more than a year after the start: give milliseconds",
      "超过开始一年之后：请使用毫秒",
    );
  return {
    ...rest,
    dropId: dropId ?? `d${randomBytes(6).toString("hex")}`,
    // 0 is "now" by the script's own clock: a drop without a start never opens a moment late.
    startsAtMs: startsAtMs === nowMs ? 0 : startsAtMs,
    endsAtMs,
  };
}

function wrong(field: string, reason: string, reasonZh: string): never {
  throw new Refused("wrongBody", { field, reason, reasonZh });
}

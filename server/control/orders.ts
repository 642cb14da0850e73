/** `/v1/shows/:show/orders` and `/ledger`: what was sold, and every movement of stock. For host, operator and admin. */
import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import type { Redis } from "ioredis";
import { z } from "zod";
import { readEntry } from "../ledger/movement.ts";
import { showKeys } from "../redis/keys.ts";
import type { App, Desk } from "./desk.ts";
import { ADMIN, AT_MS, CENTS, DROP_ID, REFUSALS, ShowParams, SKU, VIEWER_ID } from "./schemas.ts";

const Order = z.object({
  orderId: z.string(),
  holdId: z.string(),
  viewerId: VIEWER_ID,
  dropId: DROP_ID,
  sku: SKU,
  quantity: z.int(),
  amountCents: CENTS,
  state: z.string(),
  atMs: AT_MS,
  flags: z
    .array(z.string())
    .describe(
      "what a gateway found odd about the purchase: manyViewers, manyHolds, instant, newViewer, insistent. It was sold all the same",
    ),
});
type Order = z.output<typeof Order>;
const COLUMNS = [
  "orderId",
  "holdId",
  "viewerId",
  "dropId",
  "sku",
  "quantity",
  "amountCents",
  "state",
  "atMs",
  "flags",
] as const;

const Page = z.object({
  cursor: z.coerce.number().int().min(0).default(0).describe("nextCursor of the page before"),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  format: z.enum(["json", "csv"]).default("json").describe("csv: all orders after the cursor"),
});
const PAGE_SIZE = 500;

export function orderRoutes(app: App, { redis, access }: Desk): void {
  const onRequest = access.only("host", "operator");
  app.get(
    "/orders",
    {
      onRequest,
      schema: {
        tags: ["proof"],
        summary: "Orders, oldest first",
        security: ADMIN,
        params: ShowParams,
        querystring: Page,
        response: {
          200: z.union([
            z.string(),
            z.object({ orders: z.array(Order), nextCursor: z.int().nullable() }),
          ]),
          ...REFUSALS,
        },
      },
    },
    async ({ params: { show }, query: { cursor, limit, format } }, reply) => {
      if (format === "json") return readPage(redis, show, cursor, limit);
      reply.header("content-disposition", `attachment; filename="${show}-orders.csv"`);
      return stream(reply, "text/csv; charset=utf-8", csvLines(redis, show, cursor));
    },
  );
  app.get(
    "/ledger",
    {
      onRequest,
      schema: {
        tags: ["proof"],
        summary: "Every movement of stock with the books after it, one JSON object a line",
        security: ADMIN,
        params: ShowParams,
      },
    },
    async ({ params: { show } }, reply) =>
      stream(reply, "application/x-ndjson", ledgerLines(redis, show)),
  );
}

/** Order ids count from D000001 on, so a page needs no index. */
async function readPage(redis: Redis, show: string, after: number, limit: number) {
  const { meta, orders, flags } = showKeys(show);
  const last = Number((await redis.hget(meta, "orderNo")) ?? 0);
  const until = Math.min(last, after + limit);
  if (until <= after) return { orders: [], nextCursor: null };
  const ids = Array.from(
    { length: until - after },
    (_, i) => `D${String(after + i + 1).padStart(6, "0")}`,
  );
  const stored = await redis.hmget(orders, ...ids);
  const found = stored.filter((json) => json !== null).map((json) => JSON.parse(json) as Order);
  const odd =
    found.length === 0
      ? []
      : await redis.hmget(flags, ...found.map(({ viewerId, holdId }) => `${viewerId}|${holdId}`));
  return {
    orders: found.map((order, i) => ({ ...order, flags: odd[i]?.split(",") ?? [] })),
    nextCursor: until < last ? until : null,
  };
}

async function* csvLines(redis: Redis, show: string, after: number): AsyncGenerator<string> {
  yield `${COLUMNS.join(",")}\r\n`;
  for (let cursor: number | null = after; cursor !== null;) {
    const { orders, nextCursor }: Awaited<ReturnType<typeof readPage>> = await readPage(
      redis,
      show,
      cursor,
      PAGE_SIZE,
    );
    if (orders.length > 0)
      yield orders
        .map(
          (order) =>
            `${COLUMNS.map((c) => cellOf(c === "flags" ? order.flags.join(" ") : order[c])).join(",")}\r\n`,
        )
        .join("");
    cursor = nextCursor;
  }
}

/** RFC 4180; what a spreadsheet would run as a formula is made text. */
export const cellOf = (value: string | number): string => {
  const text = typeof value === "string" && /^[=+\-@\t]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** One ledger entry holds the movements of one batch; its id is the number of the first. */
async function* ledgerLines(redis: Redis, show: string): AsyncGenerator<string> {
  for (let from = "-"; ;) {
    const entries = await redis.xrangeBuffer(showKeys(show).ledger, from, "+", "COUNT", PAGE_SIZE);
    if (entries.length === 0) return;
    for (const [id, fields] of entries) {
      yield readEntry(id.toString(), fields[1] as Buffer)
        .map((movement) => `${JSON.stringify(movement)}\n`)
        .join("");
      from = `(${id.toString()}`;
    }
  }
}

const stream = (reply: FastifyReply, type: string, lines: AsyncGenerator<string>): FastifyReply =>
  reply.type(type).send(Readable.from(lines, { objectMode: false }));

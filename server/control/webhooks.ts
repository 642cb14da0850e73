/** `/v1/webhooks`: where the shop's back end is told of orders, drops and shows; see server/outbox for what it can rely on. */
import type { Redis } from "ioredis";
import { z } from "zod";
import { createEndpoints, type Endpoint } from "../outbox/endpoints.ts";
import { EVENT_TYPES } from "../outbox/events.ts";
import { whyNotUrl } from "../outbox/address.ts";
import { forget, replay, standingOf } from "../outbox/replay.ts";
import { createOutboxStore, type OutboxStore } from "../outbox/store.ts";
import { SHOWS_KEY } from "../redis/keys.ts";
import type { App, Desk } from "./desk.ts";
import { Refused } from "./faults.ts";
import { ADMIN, AT_MS, REFUSALS } from "./schemas.ts";

const MAX_WEBHOOKS = 20;

const WebhookParams = z.object({
  id: z.string().regex(/^wh_[\w-]{12}$/, "is no webhook id｜不是回调编号"),
});
const TYPES = z.array(z.enum(EVENT_TYPES)).max(EVENT_TYPES.length);
const NewWebhook = z.strictObject({
  url: z
    .string()
    .min(1)
    .max(500)
    .describe("http or https; link-local and metadata addresses are refused"),
  types: TYPES.default([]).describe("default: all"),
  secret: z.string().min(16).max(200).optional().describe("signs the events; default: made here"),
});
const Made = z.object({
  id: z.string(),
  url: z.string(),
  types: TYPES,
  createdAtMs: AT_MS,
  secret: z.string().describe("shown this once"),
});
const count = z.int().min(0);
const Standing = Made.omit({ secret: true }).extend({
  delivered: count,
  waiting: count.describe("events not delivered yet, those that failed included"),
  failures: count.describe("requests that failed"),
  failingSinceMs: AT_MS.optional(),
  lastError: z.string().optional(),
});
const ReplayFrom = z.union([
  z.strictObject({
    fromId: z.string().max(80).describe("an event's id: it and all after it, in its show"),
  }),
  z.strictObject({ sinceMs: AT_MS.describe("all events since, in all shows") }),
]);

export function webhookRoutes(app: App, { redis, access, config }: Desk): void {
  const onRequest = access.only();
  const endpoints = createEndpoints(redis);
  // Only reads and rewinds, so it needs no name among those who deliver.
  const store: OutboxStore = createOutboxStore(redis, "");
  const find = async (id: string): Promise<Endpoint> => {
    const endpoint = await endpoints.find(id);
    if (endpoint === undefined) throw new Refused("noWebhook", { id });
    return endpoint;
  };
  app.post(
    "/v1/webhooks",
    {
      onRequest,
      schema: {
        tags: ["webhooks"],
        summary: "Tell a back end what happens, from now on",
        security: ADMIN,
        body: NewWebhook,
        response: { 201: Made, ...REFUSALS },
      },
    },
    async ({ body: { url, types, secret } }, reply) => {
      const [reason, reasonZh] = whyNotUrl(url, config.webhookAllowPrivate) ?? [];
      if (reason !== undefined)
        throw new Refused("wrongBody", {
          field: "url",
          reason,
          ...(reasonZh === undefined ? {} : { reasonZh }),
        });
      if ((await endpoints.list()).length >= MAX_WEBHOOKS)
        throw new Refused("webhooksFull", { most: MAX_WEBHOOKS });
      const made = await endpoints.add(url, types, secret);
      return reply.code(201).send({ ...made, types: [...made.types] });
    },
  );
  app.get(
    "/v1/webhooks",
    {
      onRequest,
      schema: {
        tags: ["webhooks"],
        summary: "All webhooks and how their delivery stands",
        security: ADMIN,
        response: { 200: z.object({ webhooks: z.array(Standing) }), ...REFUSALS },
      },
    },
    async () => {
      const shows = await allShows(redis);
      const webhooks = await Promise.all(
        (await endpoints.list()).map(async (endpoint) => {
          const { id, url, types, createdAtMs } = endpoint;
          const standing = await standingOf(store, shows, endpoint);
          return { id, url, types: [...types], createdAtMs, ...standing };
        }),
      );
      return { webhooks };
    },
  );
  app.delete(
    "/v1/webhooks/:id",
    {
      onRequest,
      schema: {
        tags: ["webhooks"],
        summary: "Stop telling it; what waits for it is dropped",
        security: ADMIN,
        params: WebhookParams,
        response: { 204: z.void(), ...REFUSALS },
      },
    },
    async ({ params: { id } }, reply) => {
      await find(id);
      await endpoints.remove(id);
      await forget(store, await allShows(redis), id);
      return reply.code(204).send();
    },
  );
  app.post(
    "/v1/webhooks/:id/replay",
    {
      onRequest,
      schema: {
        tags: ["webhooks"],
        summary: "Send events again, from an event or a time on; kept for seven days",
        security: ADMIN,
        params: WebhookParams,
        body: ReplayFrom,
        response: { 202: z.object({ events: count.describe("that come again") }), ...REFUSALS },
      },
    },
    async ({ params: { id }, body }, reply) => {
      const events = await replay(store, await allShows(redis), await find(id), body);
      if (events === undefined) throw new Refused("noEvent", { field: "fromId" });
      return reply.code(202).send({ events });
    },
  );
}

const allShows = (redis: Redis): Promise<string[]> => redis.smembers(SHOWS_KEY);

/** `/v1/shows`: makes shows, starts and ends them. Ending a show first closes its drops: nothing sells after the end. */
import { z } from "zod";
import { SHOWS_KEY } from "../redis/keys.ts";
import type { App, Desk } from "./desk.ts";
import { isOver } from "./drop-view.ts";
import { Refused } from "./faults.ts";
import { readDrops, readShows, type ShowFacts, stateOf } from "./reading.ts";
import { ADMIN, AT_MS, REFUSALS, SHOW_ID, ShowParams, TITLE } from "./schemas.ts";

const NewShow = z.strictObject({
  id: SHOW_ID,
  title: TITLE,
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, "must be an ISO 4217 code such as CNY｜须为 ISO 4217 货币代码，如 CNY")
    .default("CNY"),
});
const count = z.int().min(0);
/** What viewers see in the room; orders are not among it. */
const PublicShow = z.object({
  id: SHOW_ID,
  title: z.string(),
  currency: z.string(),
  state: z.enum(["scheduled", "live", "ended"]),
  createdAtMs: AT_MS,
  startedAtMs: AT_MS.optional(),
  endedAtMs: AT_MS.optional(),
  viewers: count,
  likes: count,
  shares: count,
  comments: count,
  products: count,
  drops: count,
});
const FullShow = PublicShow.extend({ peakViewers: count, orders: count });
const ShowState = z.object({ id: SHOW_ID, state: z.enum(["live", "ended"]) });

export function showRoutes(app: App, { redis, shows, inventory, access }: Desk): void {
  const read = async (show: string): Promise<ShowFacts> => {
    const [facts] = await readShows(redis, [show]);
    if (facts === undefined) throw new Refused("noShow", { show });
    return facts;
  };
  app.post(
    "/v1/shows",
    {
      onRequest: access.only(),
      schema: {
        tags: ["shows"],
        summary: "Make a show",
        security: ADMIN,
        body: NewShow,
        response: { 201: FullShow, ...REFUSALS },
      },
    },
    async ({ body }, reply) => {
      if ((await shows.create(body.id, body)) === "exists")
        throw new Refused("showExists", { show: body.id, field: "id" });
      return reply.code(201).send(await read(body.id));
    },
  );
  app.get(
    "/v1/shows",
    {
      onRequest: access.only("operator"),
      schema: {
        tags: ["shows"],
        summary: "All shows, newest first",
        security: ADMIN,
        response: { 200: z.object({ shows: z.array(FullShow) }), ...REFUSALS },
      },
    },
    async () => {
      const facts = await readShows(redis, await redis.smembers(SHOWS_KEY));
      const known = facts.filter((show) => show !== undefined);
      return { shows: known.sort((a, b) => b.createdAtMs - a.createdAtMs) };
    },
  );
  app.get(
    "/v1/shows/:show",
    {
      schema: {
        tags: ["shows"],
        summary: "One show",
        params: ShowParams,
        response: { 200: PublicShow, ...REFUSALS },
      },
    },
    ({ params }) => read(params.show),
  );
  for (const [verb, state] of [
    ["start", "live"],
    ["end", "ended"],
  ] as const)
    app.post(
      `/v1/shows/:show/${verb}`,
      {
        onRequest: access.only("host"),
        schema: {
          tags: ["shows"],
          summary: verb === "start" ? "Go live" : "End the show and its drops",
          security: ADMIN,
          params: ShowParams,
          response: { 200: ShowState, ...REFUSALS },
        },
      },
      async ({ params: { show } }) => {
        const before = await stateOf(redis, show);
        if (before === null) throw new Refused("noShow", { show });
        if (state === "ended" && before === "scheduled") throw new Refused("notLive");
        if (state === "ended") await closeDrops(show);
        const turned = await shows.turn(show, state);
        if (turned === "wrong") throw new Refused("showEnded");
        if (turned === "rehearsing") throw new Refused("rehearsing");
        // One may have been made in between; from here on `allot` refuses.
        if (state === "ended") await closeDrops(show);
        return { id: show, state };
      },
    );
  const closeDrops = async (show: string): Promise<void> => {
    for (const drop of await readDrops(redis, show))
      if (!isOver(drop)) await inventory.close(show, drop.dropId);
  };
}

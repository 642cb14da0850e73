/**
 * `/v1/shows/:show/mutes`, `/shadow-bans`, `/removals`, `/comments` and, from moderation-rules.ts, `/moderation` and `/audit`: what keeps a room
 * civil. For moderators, the host and the admin; each deed goes into the show's audit log in the same step.
 */
import { z } from "zod";
import { actorOf } from "./actor.ts";
import type { App, Desk } from "./desk.ts";
import { Refused } from "./faults.ts";
import { moderationRuleRoutes } from "./moderation-rules.ts";
import { ADMIN, AT_MS, REFUSALS, ShowParams, VIEWER_ID } from "./schemas.ts";

const MAX_MUTE_MS = 30 * 24 * 3_600_000;
const CommentParams = ShowParams.extend({ no: z.coerce.number().int().min(1) });
const ViewerParams = ShowParams.extend({ viewerId: VIEWER_ID });
const NO_CONTENT = { 204: z.undefined(), ...REFUSALS };
const COMMON = { tags: ["moderation"], security: ADMIN };

export function moderationRoutes(app: App, desk: Desk): void {
  muteRoutes(app, desk);
  shadowBanRoutes(app, desk);
  removalRoutes(app, desk);
  commentRoutes(app, desk);
  moderationRuleRoutes(app, desk);
}

function muteRoutes(app: App, { shows, access }: Desk): void {
  const onRequest = access.only("moderator", "host");
  app.post(
    "/mutes",
    {
      onRequest,
      schema: {
        ...COMMON,
        summary: "Keep a viewer from commenting for a while",
        params: ShowParams,
        body: z.strictObject({ viewerId: VIEWER_ID, forMs: z.int().min(1).max(MAX_MUTE_MS) }),
        response: { 200: z.object({ viewerId: VIEWER_ID, untilMs: AT_MS }), ...REFUSALS },
      },
    },
    async ({ params: { show }, body: { viewerId, forMs }, headers }) => {
      const by = await actorOf(access, { headers });
      return { viewerId, untilMs: await shows.mute(show, viewerId, forMs, by) };
    },
  );
  app.delete(
    "/mutes/:viewerId",
    {
      onRequest,
      schema: {
        ...COMMON,
        summary: "Let a viewer speak again",
        params: ViewerParams,
        response: NO_CONTENT,
      },
    },
    async (request, reply) => {
      const { show, viewerId } = request.params;
      await shows.unmute(show, viewerId, await actorOf(access, request));
      return reply.code(204).send();
    },
  );
}

function shadowBanRoutes(app: App, { shows, access }: Desk): void {
  const onRequest = access.only("moderator", "host");
  const Banned = z.object({ viewerIds: z.array(VIEWER_ID) });
  const banned = async (show: string): Promise<{ viewerIds: string[] }> => ({
    viewerIds: [...(await shows.shadowBanned(show))],
  });
  app.get(
    "/shadow-bans",
    {
      onRequest,
      schema: {
        ...COMMON,
        summary: "Viewers whose comments only they themselves see",
        params: ShowParams,
        response: { 200: Banned, ...REFUSALS },
      },
    },
    ({ params: { show } }) => banned(show),
  );
  app.post(
    "/shadow-bans",
    {
      onRequest,
      schema: {
        ...COMMON,
        summary: "Hide a viewer's comments from everybody else, without telling",
        params: ShowParams,
        body: z.strictObject({ viewerId: VIEWER_ID }),
        response: { 200: Banned, ...REFUSALS },
      },
    },
    async ({ params: { show }, body: { viewerId }, headers }) => {
      await shows.shadowBan(show, viewerId, await actorOf(access, { headers }));
      return banned(show);
    },
  );
  app.delete(
    "/shadow-bans/:viewerId",
    {
      onRequest,
      schema: {
        ...COMMON,
        summary: "Show a viewer's comments to all again",
        params: ViewerParams,
        response: NO_CONTENT,
      },
    },
    async (request, reply) => {
      const { show, viewerId } = request.params;
      await shows.shadowUnban(show, viewerId, await actorOf(access, request));
      return reply.code(204).send();
    },
  );
}

function removalRoutes(app: App, { shows, access }: Desk): void {
  const onRequest = access.only("moderator", "host");
  app.post(
    "/removals",
    {
      onRequest,
      schema: {
        ...COMMON,
        summary: "Send a viewer away for good: neither token nor ticket lets them back in",
        params: ShowParams,
        body: z.strictObject({ viewerId: VIEWER_ID }),
        response: { 200: z.object({ viewerIds: z.array(VIEWER_ID) }), ...REFUSALS },
      },
    },
    async ({ params: { show }, body: { viewerId }, headers }) => {
      await shows.removeViewer(show, viewerId, await actorOf(access, { headers }));
      return { viewerIds: [...(await shows.removedViewers(show))] };
    },
  );
  app.delete(
    "/removals/:viewerId",
    {
      onRequest,
      schema: {
        ...COMMON,
        summary: "Let a viewer who was sent away come in again",
        params: ViewerParams,
        response: NO_CONTENT,
      },
    },
    async (request, reply) => {
      const { show, viewerId } = request.params;
      await shows.readmitViewer(show, viewerId, await actorOf(access, request));
      return reply.code(204).send();
    },
  );
}

function commentRoutes(app: App, { shows, access }: Desk): void {
  const onRequest = access.only("moderator", "host");
  app.delete(
    "/comments/:no",
    {
      onRequest,
      schema: {
        ...COMMON,
        summary: "Take a comment off every screen",
        params: CommentParams,
        response: NO_CONTENT,
      },
    },
    async (request, reply) => {
      const { show, no } = request.params;
      const by = await actorOf(access, request);
      if ((await shows.deleteComment(show, no, by)) === "unknown")
        throw new Refused("noComment", { no });
      return reply.code(204).send();
    },
  );
  app.post(
    "/comments/:no/pin",
    {
      onRequest,
      schema: {
        ...COMMON,
        summary: "Hold a comment on top, in the place of the one before",
        params: CommentParams,
        response: NO_CONTENT,
      },
    },
    async (request, reply) => {
      const { show, no } = request.params;
      const answer = await shows.pinComment(show, no, await actorOf(access, request));
      if (answer !== "pinned") throw new Refused("commentGone", { no });
      return reply.code(204).send();
    },
  );
  app.delete(
    "/comments/:no/pin",
    {
      onRequest,
      schema: {
        ...COMMON,
        summary: "Hold the comment on top no longer",
        params: CommentParams,
        response: NO_CONTENT,
      },
    },
    async (request, reply) => {
      const { show, no } = request.params;
      await shows.unpinComment(show, no, await actorOf(access, request));
      return reply.code(204).send();
    },
  );
}

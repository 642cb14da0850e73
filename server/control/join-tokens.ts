/**
 * `/v1/shows/:show/tokens`: who may join a show, and as whom. A viewer's token is public: so many per network address, and a
 * viewer id only while nobody has one for it (the id is what purchases belong to). Admin and host issue the rest.
 */
import { randomBytes, randomInt } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Identity } from "../tokens.ts";
import { type Caller, isMember } from "./access.ts";
import { createBuckets } from "./bucket.ts";
import type { App, Desk } from "./desk.ts";
import { Refused } from "./faults.ts";
import { AT_MS, REFUSALS, ShowParams, VIEWER_ID } from "./schemas.ts";

const LIFE_MS = 12 * 3_600_000;
const BURST_SECONDS = 6;

const role = z.enum(["viewer", "moderator", "host", "operator"]);
const Wanted = z.strictObject({
  role: role.default("viewer"),
  viewerId: VIEWER_ID.optional(),
  name: z.string().trim().max(40).optional(),
});
type Wanted = z.output<typeof Wanted>;
const Token = z.object({
  token: z.string(),
  viewerId: VIEWER_ID,
  role,
  name: z.string(),
  expiresAtMs: AT_MS,
});

/** Which roles a member may hand out. */
const GRANTS: Readonly<Record<Identity["role"], readonly Identity["role"][]>> = {
  viewer: [],
  moderator: [],
  host: ["viewer", "moderator"],
  operator: [],
};

export function tokenRoutes(app: App, { config, shows, tokens, access }: Desk): void {
  const perSecond = config.tokensPerSecond;
  const buckets = createBuckets(perSecond, perSecond * BURST_SECONDS, () => performance.now());

  const takeTurn = (request: FastifyRequest): void => {
    const waitMs = buckets.take(request.ip);
    if (waitMs > 0) throw new Refused("tooFast", { seconds: Math.ceil(waitMs / 1000) });
  };
  /** @returns the id the caller may have, and since when somebody has it */
  const claim = async (
    show: string,
    wanted: string | undefined,
    caller: Caller,
  ): Promise<{ viewerId: string; sinceMs: number }> => {
    const own =
      caller.kind === "member" && isMember(caller.identity, show)
        ? caller.identity.viewerId
        : undefined;
    const viewerId = wanted ?? own ?? `v${randomBytes(9).toString("base64url")}`;
    const { isNew, sinceMs } = await shows.claim(show, viewerId);
    if (!isNew && viewerId !== own && !mayGrant(caller, show, "viewer"))
      throw new Refused("viewerIdTaken", { viewerId, field: "viewerId", reason: "is taken" });
    return { viewerId, sinceMs };
  };
  app.post(
    "/tokens",
    {
      schema: {
        tags: ["tokens"],
        summary: "Get a token to join with; role viewer needs no key",
        params: ShowParams,
        body: Wanted,
        response: { 201: Token, ...REFUSALS },
      },
    },
    async (request, reply) => {
      const { show } = request.params;
      const { body } = request;
      const caller = await access.callerOf(request);
      const isTrusted = mayGrant(caller, show, body.role);
      if (!isTrusted) {
        if (body.role !== "viewer") refuseRole(caller);
        takeTurn(request);
      }
      const { viewerId, sinceMs } = await claim(show, body.viewerId, caller);
      const name = nameOf(body, request);
      const identity = {
        show: body.role === "operator" ? "*" : show,
        viewerId,
        role: body.role,
        name,
        sinceMs,
      };
      const token = await tokens.sign(identity, LIFE_MS);
      return reply
        .code(201)
        .send({ token, viewerId, role: body.role, name, expiresAtMs: Date.now() + LIFE_MS });
    },
  );
}

function mayGrant(caller: Caller, show: string, wanted: Identity["role"]): boolean {
  if (caller.kind === "admin") return true;
  if (caller.kind === "public") return false;
  return isMember(caller.identity, show) && GRANTS[caller.identity.role].includes(wanted);
}

function refuseRole(caller: Caller): never {
  if (caller.kind === "public") throw new Refused("noToken");
  throw new Refused("notAllowed", { roles: "admin, host" });
}

/** The name shown beside comments. */
function nameOf({ name }: Wanted, request: FastifyRequest): string {
  if (name !== undefined && name !== "") return name;
  const number = String(randomInt(10_000)).padStart(4, "0");
  return /^zh\b/i.test(request.headers["accept-language"] ?? "")
    ? `观众${number}`
    : `Guest ${number}`;
}

/** Who makes a request, as the audit log names them. */
import type { FastifyRequest } from "fastify";
import type { Actor } from "../room/moderation/steps.ts";
import type { Access } from "./access.ts";

export async function actorOf(
  access: Access,
  request: Pick<FastifyRequest, "headers">,
): Promise<Actor> {
  const caller = await access.callerOf(request);
  if (caller.kind !== "member") return { role: "admin", id: "" };
  return { role: caller.identity.role, id: caller.identity.viewerId };
}

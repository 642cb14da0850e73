/**
 * Who is calling, and may they: the admin key opens everything, a join token what its role may do in its own show.
 * Checked before the body is read, so that strangers cannot make us parse.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import type { Identity, Tokens } from "../tokens.ts";
import { Refused } from "./faults.ts";

export type Caller =
  | { readonly kind: "admin" }
  | { readonly kind: "member"; readonly identity: Identity }
  | { readonly kind: "public" };

type MemberRole = Identity["role"];

export interface Access {
  /** @throws Refused 401 for a token that is wrong, expired or forged; no token at all is the public */
  callerOf(request: Pick<FastifyRequest, "headers">): Promise<Caller>;
  /** An `onRequest` hook: the admin, or a member of the path's show in one of these roles. */
  only(...roles: readonly MemberRole[]): (request: FastifyRequest) => Promise<void>;
}

export function createAccess(adminKey: string, tokens: Tokens): Access {
  const adminDigest = digest(adminKey);
  const callerOf = async (request: Pick<FastifyRequest, "headers">): Promise<Caller> => {
    const header = request.headers.authorization;
    if (header === undefined) return { kind: "public" };
    const [, bearer] = /^Bearer +(\S+)$/i.exec(header) ?? [];
    if (bearer === undefined) throw new Refused("badToken");
    // Digests have one length, so the comparison takes one time.
    if (timingSafeEqual(digest(bearer), adminDigest)) return { kind: "admin" };
    const identity = await tokens.verify(bearer);
    if (identity === undefined) throw new Refused("badToken");
    return { kind: "member", identity };
  };
  return {
    callerOf,
    only:
      (...roles) =>
      async (request) => {
        const caller = await callerOf(request);
        if (caller.kind === "admin") return;
        if (caller.kind === "public") throw new Refused("noToken");
        const { show } = request.params as { show?: string };
        if (isMember(caller.identity, show) && roles.includes(caller.identity.role)) return;
        throw new Refused("notAllowed", { roles: ["admin", ...roles].join(", ") });
      },
  };
}

/** Operators' tokens are for all shows. */
export const isMember = ({ show }: Identity, ofShow: string | undefined): boolean =>
  show === "*" || show === ofShow;

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

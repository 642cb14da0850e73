/**
 * Join tokens: who somebody is in one show, signed (JWT, HS256). Made by the control API, checked by every gateway without
 * asking anybody. Carries no personal data but the name that the viewer chose to show.
 */
import { jwtVerify, SignJWT } from "jose";
import type { Role } from "#wire";
import { z } from "zod";

export interface Identity {
  /** Show id, or "*" for operators of all shows. */
  readonly show: string;
  readonly viewerId: string;
  readonly role: Role;
  readonly name: string;
}

export interface Tokens {
  /** @param lifeMs how long the token lets its bearer in; default 12 h */
  sign(identity: Identity, lifeMs?: number): Promise<string>;
  /** @returns undefined for a forged, damaged or expired token */
  readonly verify: (token: string) => Promise<Identity | undefined>;
}

const Claims = z.object({
  sub: z.string().regex(/^[\w-]{1,40}$/),
  show: z.string().min(1).max(40),
  role: z.enum(["viewer", "moderator", "host", "operator"]),
  name: z.string().max(40),
});

export function createTokens(secret: string): Tokens {
  const key = new TextEncoder().encode(secret);
  return {
    sign: ({ show, viewerId, role, name }, lifeMs = 12 * 3_600_000) =>
      new SignJWT({ show, role, name })
        .setProtectedHeader({ alg: "HS256" })
        .setSubject(viewerId)
        .setIssuedAt()
        .setExpirationTime(new Date(Date.now() + lifeMs))
        .sign(key),
    verify: async (token) => {
      try {
        const { payload } = await jwtVerify(token, key, { algorithms: ["HS256"] });
        const claims = Claims.safeParse(payload);
        if (!claims.success) return undefined;
        const { sub, show, role, name } = claims.data;
        return { show, viewerId: sub, role, name };
      } catch {
        // jose throws for every way a token can be bad; the reason is the bearer's business, not ours.
        return undefined;
      }
    },
  };
}

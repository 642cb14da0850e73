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
  /** When the viewer's first token for this show was made, ms; left out: with this token. */
  readonly sinceMs?: number;
}

/** As a token says it. */
export type Verified = Identity & { readonly sinceMs: number };

export interface Tokens {
  /** @param lifeMs how long the token lets its bearer in; default 12 h */
  sign(identity: Identity, lifeMs?: number): Promise<string>;
  /** @returns undefined for a forged, damaged or expired token */
  readonly verify: (token: string) => Promise<Verified | undefined>;
}

const Claims = z.object({
  sub: z.string().regex(/^[\w-]{1,40}$/),
  show: z.string().min(1).max(40),
  role: z.enum(["viewer", "moderator", "host", "operator"]),
  name: z.string().max(40),
  since: z.int().min(0).optional(),
  iat: z.int().min(0),
});

export function createTokens(secret: string): Tokens {
  // Imported once: jose would import raw bytes anew for every token, which is half the cost of a join.
  const importing = crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign", "verify"],
  );
  return {
    sign: async ({ show, viewerId, role, name, sinceMs }, lifeMs = 12 * 3_600_000) =>
      new SignJWT({ show, role, name, ...(sinceMs === undefined ? {} : { since: sinceMs }) })
        .setProtectedHeader({ alg: "HS256" })
        .setSubject(viewerId)
        .setIssuedAt()
        .setExpirationTime(new Date(Date.now() + lifeMs))
        .sign(await importing),
    verify: async (token) => {
      try {
        const { payload } = await jwtVerify(token, await importing, { algorithms: ["HS256"] });
        const claims = Claims.safeParse(payload);
        if (!claims.success) return undefined;
        const { sub, show, role, name, since, iat } = claims.data;
        return { show, viewerId: sub, role, name, sinceMs: since ?? iat * 1000 };
      } catch {
        // jose throws for every way a token can be bad; the reason is the bearer's business, not ours.
        return undefined;
      }
    },
  };
}

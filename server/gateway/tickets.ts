/**
 * Resume tickets: who somebody is in one show and how far they have read, signed (HMAC-SHA256), so that any node lets them back in
 * without asking anybody: no session store. Good for an hour after it was made, whatever has become of the join token meanwhile.
 * Signing and verifying are synchronous, a few µs each: what a storm of resumes costs per viewer.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { rawOf, type Role } from "#wire";
import { packValue } from "#wire/server";

export interface Resume {
  readonly show: string;
  readonly viewerId: string;
  readonly role: Role;
  readonly name: string;
  readonly sinceMs: number;
  readonly epoch: string;
  readonly offset: number;
}

export interface Tickets {
  sign(of: Resume): string;
  /** @returns undefined for a forged, damaged or expired ticket */
  verify(ticket: string): Resume | undefined;
}

export const TICKET_LIFE_MS = 3_600_000;
/** No join token begins so (those are JWTs: `ey…`). */
const PREFIX = "r1.";
/** 128 of the 256 bits: NIST SP 800-107, 5.1. */
const MAC_BYTES = 16;

type Packed = readonly [
  show: string,
  viewerId: string,
  role: Role,
  name: string,
  sinceMs: number,
  epoch: string,
  offset: number,
  untilMs: number,
];

export const isTicket = (token: string): boolean => token.startsWith(PREFIX);

/** @param nowMs a clock that all nodes share */
export function createTickets(secret: string, nowMs: () => number): Tickets {
  // A key of their own: no other thing signed with the secret can pass for a ticket.
  const key = createHmac("sha256", secret).update("dropcast resume tickets v1").digest();
  const macOf = (body: Uint8Array): Buffer =>
    createHmac("sha256", key).update(body).digest().subarray(0, MAC_BYTES);
  return {
    sign({ show, viewerId, role, name, sinceMs, epoch, offset }) {
      const untilMs = Math.floor(nowMs()) + TICKET_LIFE_MS;
      const packed: Packed = [show, viewerId, role, name, sinceMs, epoch, offset, untilMs];
      const body = packValue(packed);
      return PREFIX + Buffer.concat([macOf(body), body]).toString("base64url");
    },
    verify(ticket) {
      const bytes = Buffer.from(ticket.slice(PREFIX.length), "base64url");
      const body = bytes.subarray(MAC_BYTES);
      if (body.length === 0 || !timingSafeEqual(bytes.subarray(0, MAC_BYTES), macOf(body)))
        return undefined;
      const [show, viewerId, role, name, sinceMs, epoch, offset, untilMs] = rawOf(body) as Packed;
      if (untilMs <= nowMs()) return undefined;
      return { show, viewerId, role, name, sinceMs, epoch, offset };
    },
  };
}

/**
 * Passes: leave for one attempt to buy. A pass is signed for a show, a drop, a viewer and the attempt's idempotency key, so it is
 * used once by construction: its key can only ever become one hold, on whatever node (I3), and beside any other key, viewer or drop
 * it is no pass. Any node checks it with the one secret; nothing is stored, for winners or losers. A check costs one HMAC, about 3 µs.
 *
 * Before a pass there may be a proof of work (Hashcash, A. Back 2002): find a nonce such that SHA-256(challenge:nonce) begins with so
 * many zero bits. The challenge is signed for the same four, so nothing can be found beforehand, and a solution serves nobody else.
 */
import { createHash, createHmac, createSecretKey, timingSafeEqual } from "node:crypto";

export interface Attempt {
  readonly show: string;
  readonly viewerId: string;
  readonly dropId: string;
  /** Without a line break. */
  readonly key: string;
}

/** How much a pass says: none, that one was asked for, or that it cost a proof of work. */
export type Standing = "none" | "pass" | "proof";

export interface Passes {
  issue(attempt: Attempt, standing: "pass" | "proof", untilMs: number): string;
  /** @returns "none" for one that is empty, forged, expired, or of another attempt */
  check(pass: string, attempt: Attempt, nowMs: number): Standing;
  challenge(
    attempt: Attempt,
    untilMs: number,
  ): { readonly challenge: string; readonly bits: number };
  /** True if the challenge is ours, of this attempt, not expired, and solved by the nonce. */
  solves(challenge: string, nonce: number, attempt: Attempt, nowMs: number): boolean;
}

const MAC_BYTES = 16;
/** `p` or `w` (asked for, or worked for), then until when in base 36, then the signature. */
const SIGNED = /^([pw])([0-9a-z]{1,11})\.([\w-]{22})$/;

/** @param bits of a proof: each doubles the work, 2^bits hashes on average */
export function createPasses(secret: string, bits: number): Passes {
  // Derived, so that a pass can never be taken for another thing that the secret signs.
  const key = createSecretKey(createHmac("sha256", secret).update("dropcast pass v1").digest());
  const mac = (head: string, { show, viewerId, dropId, key: attemptKey }: Attempt): Buffer =>
    createHmac("sha256", key)
      .update(`${head}\n${show}\n${viewerId}\n${dropId}\n${attemptKey}`)
      .digest()
      .subarray(0, MAC_BYTES);
  const sign = (kind: string, purpose: string, attempt: Attempt, untilMs: number): string => {
    const head = kind + Math.floor(untilMs).toString(36);
    return `${head}.${mac(purpose + head, attempt).toString("base64url")}`;
  };
  /** The kind of what was signed for this purpose and attempt and is still good; else undefined. */
  const kindOf = (
    text: string,
    purpose: string,
    attempt: Attempt,
    nowMs: number,
  ): string | undefined => {
    const [, kind = "", until = "", signature = ""] = SIGNED.exec(text) ?? [];
    if (kind === "" || Number.parseInt(until, 36) <= nowMs) return undefined;
    const said = Buffer.from(signature, "base64url");
    return timingSafeEqual(said, mac(purpose + kind + until, attempt)) ? kind : undefined;
  };
  return {
    issue: (attempt, standing, untilMs) =>
      sign(standing === "proof" ? "w" : "p", "pass", attempt, untilMs),
    check(pass, attempt, nowMs) {
      if (pass === "") return "none";
      const kind = kindOf(pass, "pass", attempt, nowMs);
      return kind === undefined ? "none" : kind === "w" ? "proof" : "pass";
    },
    challenge: (attempt, untilMs) => ({
      challenge: sign("w", `work${bits}`, attempt, untilMs),
      bits,
    }),
    solves: (challenge, nonce, attempt, nowMs) =>
      kindOf(challenge, `work${bits}`, attempt, nowMs) !== undefined &&
      zeroBits(createHash("sha256").update(`${challenge}:${nonce}`).digest()) >= bits,
  };
}

/** Zero bits at the beginning. */
function zeroBits(hash: Buffer): number {
  const first = hash.readUInt32BE(0);
  return first === 0 ? 32 : Math.clz32(first);
}

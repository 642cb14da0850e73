/**
 * The signature on webhooks, out and in: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`, as Stripe introduced it. The time
 * is signed with the body, so an old request cannot be sent again later. This file needs nothing but Node: a shop may copy it.
 *
 *     import { createServer } from "node:http";
 *     import { text } from "node:stream/consumers";
 *
 *     createServer(async (request, response) => {
 *       const body = await text(request); // the bytes as they came: parse them only afterwards
 *       const header = String(request.headers["dropcast-signature"]);
 *       if (!verifyDropcastSignature(body, header, process.env.DROPCAST_SECRET, Date.now() / 1000))
 *         return response.writeHead(400).end();
 *       const event = JSON.parse(body); // {id, type, show, atMs, data}
 *       if (!(await seenBefore(event.id))) await apply(event); // an event may come twice
 *       response.writeHead(204).end(); // within 10 s, else it comes again
 *     });
 */
import { createHmac, timingSafeEqual } from "node:crypto";

/** How old, or how far ahead, a signature may be. */
const TOLERANCE_S = 300;
const MAX_SIGNATURES = 8;

/** @param atS Unix time in seconds */
export function sign(body: string | Uint8Array, secret: string, atS: number): string {
  const t = String(Math.floor(atS));
  return `t=${t},v1=${digest(t, body, secret).toString("hex")}`;
}

/**
 * @param body exactly as received
 * @param header of `dropcast-signature`; with several `v1`, as while a secret is changed, one must be right
 * @param nowS Unix time in seconds
 */
export function verifyDropcastSignature(
  body: string | Uint8Array,
  header: string | undefined,
  secret: string,
  nowS: number,
): boolean {
  const parts = (header ?? "").split(",").map((part) => part.trim().split("=", 2));
  const times = parts.filter(([name]) => name === "t").map(([, value = ""]) => value);
  const [t = ""] = times;
  // Two times would let an attacker choose which one is checked.
  if (times.length !== 1 || !/^\d{1,12}$/.test(t)) return false;
  if (!(Math.abs(nowS - Number(t)) <= TOLERANCE_S)) return false;
  const due = digest(t, body, secret);
  return parts
    .filter(([name]) => name === "v1")
    .slice(0, MAX_SIGNATURES)
    .some(
      ([, value = ""]) =>
        /^[0-9a-f]{64}$/i.test(value) && timingSafeEqual(Buffer.from(value, "hex"), due),
    );
}

const digest = (t: string, body: string | Uint8Array, secret: string): Buffer =>
  createHmac("sha256", secret).update(`${t}.`).update(body).digest();

/** What the commands about buying have in common: lawful keys, repeats, and the refusals of a world that fails. */
import type { FailureCode } from "#wire";
import type { Logger } from "../log.ts";
import { isOutage } from "../redis/outage.ts";
import type { Room } from "../room/room.ts";
import type { DropAnswer } from "../shop/inventory.ts";
import type { Admitted } from "./door.ts";
import type { Session } from "./session.ts";

const RETRY_AFTER_MS = 300;
/** Its first answer is remembered: what it shows makes no difference. */
export const REPEAT: Admitted = { level: 0, flags: "" };
/** Printable ASCII without `|`, which joins the parts of a field in Redis. */
export const KEY = /^[\x21-\x7b\x7d\x7e]+$/;

export const failed = (session: Session, id: number, code: FailureCode, retryable: boolean): void =>
  session.send("failed", { id, code, retryable, retryAfterMs: retryable ? RETRY_AFTER_MS : 0 });

/**
 * A store that is away becomes `storeDown`, to be asked again with the same key. Anything else is a bug: reported, and refused for
 * good, since one viewer's request must never end the process that serves ten thousand.
 */
// oxlint-disable-next-line max-params -- one call per fault, from two places
export function failedBy(session: Session, id: number, fault: unknown, log: Logger): void {
  const away = isOutage(fault);
  if (!away) log.error({ err: fault }, "a command failed");
  failed(session, id, away ? "storeDown" : "badRequest", away);
}

/** The drop is not there, or stands still after a failover until the nodes have told what they know: then ask again. */
export function refused(session: Session, id: number, word: string): boolean {
  if (word === "unknown") failed(session, id, "notFound", false);
  else if (word === "paused") failed(session, id, "storeDown", true);
  else return false;
  return true;
}

/** Of a drop of class replica. */
export const isOfReplicas = (answer: DropAnswer): boolean => answer.at(-1) === "replica";

/** A key that this viewer's orders know is a repeat: it gets its first answer, whatever else there is. */
export const isRepeat = ({ viewerId }: Session, { mirror, guard }: Room, key: string): boolean =>
  mirror.hasOrder(viewerId, key) || guard.isWithheld(viewerId, key);

/**
 * What makes a member whole: the events it has missed, or the whole room in their place, with what only the newest of counts, and what
 * is its own. Sent in one turn of the loop, so that no live frame comes in between. Cost: the frames; all but its own are encoded once.
 */
import type { Comment } from "#wire";
import type { Echoes } from "./echoes.ts";
import type { Mirror } from "./mirror.ts";
import type { Member } from "./room.ts";

export interface BridgePorts {
  readonly mirror: Mirror;
  readonly echoes: Pick<Echoes, "hiddenOf">;
  readonly nowMs: () => number;
  readonly sendComments: (member: Member, comments: readonly Comment[]) => void;
}

/** @param events what it has missed of lane R; undefined: not all of it is kept */
export function bridge(
  member: Member,
  events: readonly Uint8Array[] | undefined,
  { mirror, echoes, sendComments, nowMs }: BridgePorts,
): void {
  // Shared bytes: however many come back at once, the room encodes once.
  if (events === undefined) member.sendFrame(mirror.snapshot());
  else {
    for (const bytes of events) member.sendFrame(bytes);
    for (const bytes of mirror.standing(Math.floor(nowMs()))) member.sendFrame(bytes);
  }
  const hidden = echoes.hiddenOf(member.viewerId);
  if (hidden.length > 0) sendComments(member, hidden);
  const coupons = mirror.couponList();
  if (coupons !== undefined) member.sendFrame(coupons);
  for (const kept of mirror.keptBy(member.viewerId)) member.send("couponsKept", kept);
  for (const order of mirror.ordersOf(member.viewerId)) member.send("orderChanged", order);
  member.send("joined", { offset: mirror.state.offset });
}

/**
 * What a room has shown of a history that was lost with its primary, and that nobody brings back: holds and places in line of drops
 * that are not of class `replica`. They are told as cancelled, so that they leave their buyers' screens at once and not at their
 * deadline. A node tells what it has shown itself; who comes back to one that had the room closed sees such a hold until its deadline.
 * Payments under way are left alone: their money may be on its way. Cost: a walk through all orders, once per failover.
 */
import type { Opened, Owned } from "./mirror.ts";
import type { Room } from "./room.ts";

/** @param before the show's room in the history before, if it was open here */
export function lostOrders(
  before: Pick<Room, "mirror" | "guard"> | undefined,
  opened: Pick<Opened, "epoch" | "orders"> & { readonly guarded: readonly string[] },
): readonly Owned[] {
  if (before === undefined || before.mirror.epoch === opened.epoch) return [];
  const known = new Set(opened.orders.map(([viewerId, { holdId }]) => `${viewerId}|${holdId}`));
  const guarded = new Set(opened.guarded);
  const lost: Owned[] = [];
  for (const [viewerId, order] of before.mirror.orders()) {
    const { dropId, holdId, state } = order;
    // A recovery brings it back, or ends it.
    if (guarded.has(dropId) || before.guard.isGuarded(dropId)) continue;
    const isOpen = state === "held" || state === "waiting";
    if (isOpen && !known.has(`${viewerId}|${holdId}`))
      lost.push([viewerId, { ...order, state: "cancelled", deadlineMs: 0 }]);
  }
  return lost;
}

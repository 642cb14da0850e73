/** A drop's and an order's state in words; the same on every surface of the page. */
import type { Drop, Order } from "#sdk";
import { unitsOf } from "../shared/units.ts";
import { say } from "./words.ts";

export function stockWords(drop: Drop): string {
  if (drop.state === "voided") return "";
  if (drop.available === 0)
    return drop.held > 0 ? say("soldOutHeld", { n: drop.held }) : say("soldOut");
  if (drop.state === "announced")
    return say("unitsAnnounced", { n: unitsOf(drop), limit: drop.perBuyerLimit });
  return say("unitsLeft", { n: drop.available, all: unitsOf(drop) });
}

const ORDER_WORDS = {
  waiting: "stateWaiting",
  held: "stateHeld",
  paying: "statePaying",
  sold: "stateSold",
  expired: "stateExpired",
  cancelled: "stateCancelled",
  paid_late: "stateLate",
  refunded: "stateRefunded",
} as const satisfies Record<Order["state"], string>;

export const orderWord = (order: Order): string => say(ORDER_WORDS[order.state]);

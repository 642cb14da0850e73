/** What can be seen of a shop, the model's or the real one, as text that two of them can be compared by. */
import {
  availableIn,
  claimsLeft,
  claimsOf,
  type Hold,
  orderId,
  type Shop,
  stockOf,
  unitsIn,
  viewerOf,
} from "./shop.ts";

export interface View {
  readonly stock: number;
  /** state available held sold restocked writtenOff epoch waitlisted waitServed drawn */
  readonly drops: Readonly<Record<string, string>>;
  /** dropId quantity state deadlineMs cents orderId ticket offCents coupons */
  readonly holds: Readonly<Record<string, string>>;
  /** What was odd about those that got something. */
  readonly flags: Readonly<Record<string, string>>;
  /** unused held spent */
  readonly claims: Readonly<Record<string, string>>;
  readonly claimsLeft: Readonly<Record<string, number>>;
  /** viewerId key quantity cents state */
  readonly orders: Readonly<Record<string, string>>;
  /** what field cents of open|done */
  readonly payments: readonly string[];
}

const mapped = <T, U>(
  from: Readonly<Record<string, T>>,
  fn: (value: T, name: string) => U,
): Record<string, U> =>
  Object.fromEntries(Object.entries(from).map(([name, value]) => [name, fn(value, name)]));

export const viewOf = (shop: Shop): View => ({
  stock: stockOf(shop),
  drops: mapped(shop.drops, (d, id) => {
    const held = unitsIn(shop, id, (h) => h.state === "held" || h.state === "paying");
    const sold = unitsIn(shop, id, (h) => h.state === "sold" && !h.isReturned);
    return [
      d.state,
      availableIn(shop, id),
      held,
      sold,
      d.restocked,
      d.writtenOff,
      d.epoch,
      d.line.length,
      d.served,
      d.isDrawn,
    ].join(" ");
  }),
  holds: mapped(shop.holds, (h) =>
    [
      h.dropId,
      h.quantity,
      h.state,
      h.deadlineMs,
      h.cents,
      h.orderId,
      h.ticket,
      h.offCents,
      h.coupons.join(","),
    ].join(" "),
  ),
  flags: Object.fromEntries(
    Object.entries(shop.holds).flatMap(([field, { flags }]) =>
      flags === "" ? [] : [[field, flags]],
    ),
  ),
  claims: Object.fromEntries(
    Object.entries(shop.claims)
      .filter(([, keys]) => keys.length > 0)
      .map(([name]) => {
        const { unused, held, spent } = claimsOf(
          shop,
          name.slice(0, name.indexOf("|")),
          name.slice(name.indexOf("|") + 1),
        );
        return [name, [unused, held, spent].join(" ")];
      }),
  ),
  claimsLeft: mapped(shop.coupons, (_, id) => claimsLeft(shop, id)),
  orders: Object.fromEntries(
    shop.orders.map(({ field, state }, i) => {
      const { quantity, cents } = shop.holds[field] as Hold;
      return [
        orderId(i),
        [viewerOf(field), field.slice(viewerOf(field).length + 1), quantity, cents, state].join(
          " ",
        ),
      ];
    }),
  ),
  payments: shop.payments.map((p) =>
    [p.what, p.field, p.cents, p.of, p.isDone ? "done" : "open"].join(" "),
  ),
});

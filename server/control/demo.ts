/**
 * Keeps the demo show worth a visit: made at the first start, with three products, and always one drop announced or open.
 * It only does what a host could do through the API; it never invents a viewer, a like, a comment or a sale. [I10]
 */
import type { Product } from "#wire";
import type { Logger } from "pino";
import type { Part } from "../lifecycle.ts";
import { startLoop } from "../loop.ts";
import type { Desk } from "./desk.ts";
import { isOver } from "./drop-view.ts";
import { nowOf, readDrops, readProduct, stateOf } from "./reading.ts";

const SHOW = "demo";
const FACTS = { title: "清晨茶席 · Morning Tea", currency: "CNY" } as const;
const category = "茶 Tea";
const TEAPOT = {
  sku: "teapot",
  title: "青瓷茶壶 Celadon teapot",
  priceCents: 199_00,
  stock: 30,
  imageUrl: "/products/teapot.svg",
  category,
};
const TEA_BOX = {
  sku: "tea-box",
  title: "明前龙井礼盒 Longjing tea box",
  priceCents: 69_00,
  stock: 500,
  imageUrl: "/products/tea-box.svg",
  category,
};
const GIFT_SET = {
  sku: "gift-set",
  title: "茶具套装 Tea gift set",
  priceCents: 299_00,
  stock: 200,
  imageUrl: "/products/gift-set.svg",
  category,
};
const PRODUCTS: readonly Product[] = [TEAPOT, TEA_BOX, GIFT_SET];

const DROP = {
  sku: TEAPOT.sku,
  priceCents: 99_00,
  allotment: 30,
  perBuyerLimit: 1,
  holdMs: 120_000,
} as const;
const AHEAD_MS = 60_000;
const WINDOW_MS = 5 * 60_000;
const LOOK_EVERY_MS = 1000;

type DemoDesk = Pick<Desk, "redis" | "shows" | "inventory" | "showList">;

/** Resolves when the show can be visited. */
export async function startDemo(desk: DemoDesk, log: Logger): Promise<Part> {
  if (await seed(desk)) log.info({ show: SHOW }, "the demo show is made");
  await keepSelling(desk);
  return startLoop({ name: "demo", everyMs: LOOK_EVERY_MS, log, step: () => keepSelling(desk) });
}

/** Every step may be repeated: a crash in the middle is finished at the next start. @returns true if there was none */
async function seed({ shows, redis }: DemoDesk): Promise<boolean> {
  const answer = await shows.create(SHOW, FACTS);
  if ((await stateOf(redis, SHOW)) !== "scheduled") return false;
  for (const product of PRODUCTS) await shows.addProduct(SHOW, product);
  await shows.pin(SHOW, TEA_BOX.sku);
  await shows.turn(SHOW, "live");
  return answer === "created";
}

/** Announces the next drop once the one before has ended and its last hold is settled. */
async function keepSelling({ redis, inventory, shows, showList }: DemoDesk): Promise<void> {
  if ((await stateOf(redis, SHOW)) !== "live") return;
  const drops = await readDrops(redis, SHOW);
  if (drops.some((d) => d.sku === TEAPOT.sku && (!isOver(d) || d.held > 0))) return;
  const teapot = await readProduct(redis, SHOW, TEAPOT.sku);
  if (teapot === undefined) return;
  if (teapot.stock < DROP.allotment)
    await shows.putProduct(SHOW, { ...teapot, stock: DROP.allotment });
  const startsAtMs = (await nowOf(redis)) + AHEAD_MS;
  // The id follows from what there is, so that two processes with the same thought make one drop.
  const dropId = `teapot-${drops.length + 1}`;
  await inventory.allot(SHOW, { ...DROP, dropId, startsAtMs, endsAtMs: startsAtMs + WINDOW_MS });
  showList.wake(SHOW);
}

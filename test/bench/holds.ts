/**
 * Holds per second at the function level: `createBatches` → one script call per batch → a real Redis that writes every batch to
 * disk before it answers (appendfsync always, unix socket), against plain pipelined DECR on the same server in the same run.
 * A hold is the whole step: window, limit, stock, hold record, deadline, ledger, log. Every round takes from a fresh drop.
 */
import { createBatches } from "../../server/shop/batch.ts";
import type { DropAnswer, DropRequest } from "../../server/shop/inventory.ts";
import type { Bench } from "./bench.ts";
import { pin, SERVER_CORES } from "./machine.ts";
import { inTurns } from "./rounds.ts";
import { openShow, startStore, type Store } from "./world.ts";

const SHOW = "holds";
const UNIT = "/s";
const CONTROL = "decr-pipelined";
/** Buyers that wait at the same time, in both ways of asking. */
const WAITING = 1024;
const DECR_BATCH = 256;
const DECR_IN_FLIGHT = 4;

export const holds: Bench = {
  name: "holds",
  says: "holds per second through Redis (fsync always), against plain pipelined DECR",
  async run({ quick, owns }) {
    const store = await startStore();
    owns(store.stop);
    pin(store.process.pid, SERVER_CORES);
    await openShow(store, SHOW);
    const count = quick ? 8000 : 30_000;
    const batches = createBatches((show, requests) => store.inventory.decide(show, requests));
    const alone = async (request: DropRequest): Promise<DropAnswer> => {
      const [answer] = await store.inventory.decide(SHOW, [request]);
      return answer as DropAnswer;
    };
    const soldOut = await newDrop(store, 1);
    await batches.ask(SHOW, requestFor(soldOut, "first"));

    const perSecond = await inTurns(quick ? 2 : 5, {
      batched: async () => {
        const dropId = await newDrop(store, count);
        return rate(count, WAITING, async (i) =>
          expect("held", await batches.ask(SHOW, requestFor(dropId, `b${i}`))),
        );
      },
      alone: async () => {
        const dropId = await newDrop(store, count);
        return rate(count / 4, WAITING, async (i) =>
          expect("held", await alone(requestFor(dropId, `b${i}`))),
        );
      },
      soldOut: () =>
        rate(count * 4, WAITING, async (i) =>
          expect("soldOut", await batches.ask(SHOW, requestFor(soldOut, `s${i}`))),
        ),
      decr: async () => {
        const calls = Math.ceil((count * 4) / DECR_BATCH);
        const perCall = await rate(calls, DECR_IN_FLIGHT, () => decrements(store));
        return perCall * DECR_BATCH;
      },
    });
    return [
      {
        row: "batched",
        value: perSecond.batched,
        unit: UNIT,
        controls: [CONTROL, "call-per-buyer"],
      },
      { row: "call-per-buyer", value: perSecond.alone, unit: UNIT, controls: [CONTROL] },
      { row: "sold-out", value: perSecond.soldOut, unit: UNIT, controls: [CONTROL] },
      { row: CONTROL, value: perSecond.decr, unit: UNIT, controls: [] },
    ];
  },
};

async function decrements({ redis }: Store): Promise<void> {
  const pipeline = redis.pipeline();
  for (let i = 0; i < DECR_BATCH; i++) pipeline.decr("dropcast:bench:stock");
  await pipeline.exec();
}

/** @returns calls per second, `atOnce` of them under way at any time */
async function rate(
  count: number,
  atOnce: number,
  call: (i: number) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const startedMs = performance.now();
  const worker = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) await call(i);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return count / ((performance.now() - startedMs) / 1000);
}

let drops = 0;

async function newDrop({ inventory }: Store, allotment: number): Promise<string> {
  const dropId = `d${++drops}`;
  const times = { holdMs: 600_000, startsAtMs: 0, endsAtMs: Date.now() + 3_600_000 };
  const [answer] = await inventory.allot(SHOW, {
    dropId,
    sku: "tea",
    priceCents: 9900,
    allotment,
    perBuyerLimit: 1,
    ...times,
  });
  if (answer !== "allotted") throw new Error(`the drop was not made: ${answer}`);
  return dropId;
}

/** Keys as long as the ones clients make. */
const requestFor = (dropId: string, buyer: string): DropRequest => ({
  what: "hold",
  viewerId: `viewer-${buyer}`,
  key: `${dropId}-${buyer}`.padEnd(22, "x"),
  dropId,
  quantity: 1,
});

function expect(word: string, [answer]: DropAnswer): void {
  if (answer !== word) throw new Error(`${answer} instead of ${word}`);
}

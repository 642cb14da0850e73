/**
 * Holds per second at the function level: `createBatches` → one script call per batch → a real Redis (unix socket), which writes
 * every batch to disk before it answers (appendfsync always) but in the row `batched`; beside one call per buyer with the same
 * guarantees, the least that a hold can be (compact.ts), and plain pipelined DECR, in the same run. A hold is the whole step: window, limit, stock, hold record, deadline,
 * ledger, log. Every round takes from a fresh drop. Then what a hold and a refusal cost Redis in bytes.
 */
import { createBatches } from "../../server/shop/batch.ts";
import type { DropAnswer, DropRequest } from "../../server/shop/inventory.ts";
import type { Bench } from "./bench.ts";
import { createCompact } from "./compact.ts";
import { pin, SERVER_CORES } from "./machine.ts";
import { inTurns } from "./rounds.ts";
import type { Row } from "./rows.ts";
import { createLocalRefusals } from "./sold-out-local.ts";
import { openShow, startStore, type Store } from "./world.ts";

const SHOW = "holds";
const UNIT = "/s";
const CONTROL = "decr-pipelined";
const ALONE = "call-per-buyer";
const LEAST = "compact-shape";
/** Buyers that wait at the same time, in both ways of asking: more than are under way at once. */
const WAITING = 2048;
const DECR_BATCH = 256;
const DECR_IN_FLIGHT = 4;

export const holds: Bench = {
  name: "holds",
  says: "holds per second through Redis, fsync always (row batched: never), beside a call per buyer and plain DECR; bytes of a hold",
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
    await batches.ask(SHOW, requestFor(soldOut, 0));
    const local = await createLocalRefusals(store, SHOW, soldOut);
    const batched = async (): Promise<number> => {
      const dropId = await newDrop(store, count);
      return rate(count, WAITING, async (i) =>
        expect("held", await batches.ask(SHOW, requestFor(dropId, i))),
      );
    };

    const compact = createCompact(store, (i) => requestFor("d000000000000", i));

    const perSecond = await inTurns(quick ? 2 : 5, {
      durable: batched,
      async unsynced() {
        await store.redis.config("SET", "appendfsync", "no");
        const found = await batched();
        await store.redis.config("SET", "appendfsync", "always");
        return found;
      },
      compact: () => compact(count),
      async alone() {
        const dropId = await newDrop(store, count);
        return rate(count / 4, WAITING, async (i) =>
          expect("held", await alone(requestFor(dropId, i))),
        );
      },
      soldOut: () =>
        rate(count * 4, WAITING, async (i) =>
          expect("soldOut", await batches.ask(SHOW, requestFor(soldOut, i + 1))),
        ),
      async decr() {
        const calls = Math.ceil((count * 4) / DECR_BATCH);
        const perCall = await rate(calls, DECR_IN_FLIGHT, () => decrements(store));
        return perCall * DECR_BATCH;
      },
      local: local.refusals,
      packing: local.packing,
    });
    const bytes = await memoryOf(store, batches, count, quick ? 50_000 : 300_000);
    return [
      per("batched-durable", perSecond.durable, [ALONE, LEAST, CONTROL]),
      per("batched", perSecond.unsynced, [ALONE, CONTROL]),
      per(LEAST, perSecond.compact, [CONTROL]),
      per(ALONE, perSecond.alone, [CONTROL]),
      per("sold-out", perSecond.soldOut, [CONTROL]),
      per("sold-out-local", perSecond.local, ["pack-answer"]),
      per("pack-answer", perSecond.packing),
      per(CONTROL, perSecond.decr),
      {
        row: "memory-per-hold",
        value: bytes.perHold,
        unit: "bytes",
        controls: ["memory-of-names"],
      },
      { row: "memory-of-names", value: bytes.perName, unit: "bytes", controls: [] },
      { row: "refused-memory", value: bytes.refused, unit: "bytes", controls: ["refused-names"] },
      { row: "refused-names", value: bytes.refusedNames, unit: "bytes", controls: [] },
    ];
  },
};

const per = (row: string, value: number, controls: readonly string[] = []): Row => ({
  row,
  value,
  unit: UNIT,
  controls,
});

/**
 * Bytes of Redis per accepted hold, all that is kept of it, beside a hash that keeps nothing but the holds' names; and what a flood
 * of refused tries adds in all, beside the names of those who tried.
 */
async function memoryOf(
  store: Store,
  batches: ReturnType<typeof createBatches>,
  count: number,
  tries: number,
) {
  const { redis } = store;
  const used = async (): Promise<number> =>
    Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);
  const grown = async (work: () => Promise<unknown>): Promise<number> => {
    const before = await used();
    await work();
    return (await used()) - before;
  };
  const dropId = await newDrop(store, count);
  const all = (word: string, from: number, until: number): Promise<unknown> =>
    rate(until - from, WAITING, async (i) =>
      expect(word, await batches.ask(SHOW, requestFor(dropId, from + i))),
    );
  const perHold = (await grown(() => all("held", 0, count))) / count;
  const refused = await grown(() => all("soldOut", count, count + tries));
  const names = (of: number): Promise<unknown> =>
    rate(Math.ceil(of / DECR_BATCH), DECR_IN_FLIGHT, (i) =>
      redis.hset(
        `dropcast:bench:names${of}`,
        ...Array.from({ length: DECR_BATCH }, (_, n) => {
          const { viewerId, key } = requestFor(dropId, i * DECR_BATCH + n);
          return [`${viewerId}|${key}`, ""];
        }).flat(),
      ),
    );
  return {
    perHold,
    refused,
    perName: (await grown(() => names(count))) / count,
    refusedNames: await grown(() => names(tries)),
  };
}

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
  const dropId = `d${String(++drops).padStart(12, "0")}`;
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

/** Names as long as those that servers and clients make. */
const requestFor = (dropId: string, buyer: number): DropRequest => ({
  what: "hold",
  viewerId: `v${String(buyer).padStart(18, "0")}`,
  key: `${dropId.slice(-4)}-${buyer}`.padEnd(22, "x"),
  dropId,
  quantity: 1,
});

function expect(word: string, [answer]: DropAnswer): void {
  if (answer !== word) throw new Error(`${answer} instead of ${word}`);
}

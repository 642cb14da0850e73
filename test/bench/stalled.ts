/**
 * One viewer in a hundred stops reading, as a phone does that sleeps, while the room talks on: what that does to the others' stock
 * events, what the sleepers cost the server, and what they are shown when they wake: how old, and whether anything critical is missing.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { stamped } from "../../load/swarm/decoding.ts";
import type { Swarm } from "../../load/swarm/swarm.ts";
import { quantilesMs } from "../../load/swarm/tally.ts";
import { createRoomWrites } from "../../server/room/writes.ts";
import type { Bench } from "./bench.ts";
import { createChatter } from "./chatter.ts";
import { queuedBytesOf, residentBytesOf } from "./machine.ts";
import { median, type Row } from "./rows.ts";
import { openStock, quantileOf, type StockEvents } from "./stock-events.ts";
import { joined, type Store, viewerToken, watched } from "./world.ts";

const SHOW = "stalled";
const COMMENTS_PER_SECOND = 150;
const TALK_EVERY_MS = 100;
const PRODUCT_EVERY_MS = 500;
const AWAKE_WITHIN_MS = 20_000;

export const stalled: Bench = {
  name: "stalled",
  says: "1 % of the viewers do not read for a minute: the others' p99, and what the sleepers get when they wake",
  async run(run) {
    const viewers = run.quick ? 400 : 2000;
    const sleepers = viewers / 100;
    const stallMs = run.quick ? 5000 : 60_000;
    run.say(`stalled: ${viewers} viewers, ${sleepers} of them asleep for ${stallMs / 1000} s`);
    const { store, server, swarm } = await watched(run, {
      show: SHOW,
      viewers: viewers - sleepers,
    });
    const group = (first: number): Promise<Swarm> =>
      joined(run, {
        url: `ws://127.0.0.1:${server.port}`,
        show: SHOW,
        viewers: sleepers,
        countsOnly: false,
        token: (index) => viewerToken(SHOW)(first + index),
      });
    const asleep = await group(viewers);
    const awake = await group(2 * viewers);
    const stock = await openStock(store, SHOW, swarm, viewers - sleepers);
    const talk = talkIn(store);
    run.owns(talk.stop);
    const rounds = run.quick ? 4 : 30;
    await p99s(stock, 3);
    const quietBefore = await p99s(stock, rounds);
    await server.tell("tidy");
    const residentBefore = residentBytesOf(server.pid);
    const shownBefore = (await asleep.histories()).map(({ receipts }) => receipts.shown);
    await asleep.stall(1);
    // What was on its way to them when they fell asleep.
    await sleep(500);
    const sleptAtMs = performance.now();
    const frozen = (await asleep.counts()).frames;
    const whileStalled: number[] = [];
    while (performance.now() - sleptAtMs < stallMs) whileStalled.push(...(await p99s(stock, 2)));
    if ((await asleep.counts()).frames !== frozen)
      throw new Error("the sleepers were reading all the time");
    await server.tell("tidy");
    const resident = (residentBytesOf(server.pid) - residentBefore) / sleepers;
    const queued = queuedBytesOf(server.port) / sleepers;
    await asleep.stall(0);
    const oldest = await oldestAfterWaking(asleep, shownBefore);
    const quietAfter = await p99s(stock, rounds);
    await talk.stop();
    await sleep(1500);
    await checkReliable([asleep, awake]);
    const awakeOldest = quantilesMs((await awake.figures()).fanoutUs).max ?? 0;
    const rows: readonly Row[] = [
      {
        row: `stock-p99-stalled-${viewers}`,
        value: median(whileStalled),
        unit: "ms",
        controls: [`stock-p99-none-stalled-${viewers}`],
      },
      {
        row: `stock-p99-none-stalled-${viewers}`,
        value: median([...quietBefore, ...quietAfter]),
        unit: "ms",
        controls: [],
      },
      {
        row: "woken-oldest-comment",
        value: oldest,
        unit: "ms",
        controls: ["awake-oldest-comment"],
      },
      { row: "awake-oldest-comment", value: awakeOldest, unit: "ms", controls: [] },
      {
        row: "server-memory-per-sleeper",
        value: Math.max(0, resident),
        unit: "bytes",
        controls: [],
      },
      { row: "kernel-queue-per-sleeper", value: queued, unit: "bytes", controls: [] },
    ];
    return rows;
  },
};

/** Of each event, when 99 % of the viewers had it: a slow moment of the machine spoils one of them, not the lot. */
async function p99s(stock: StockEvents, events: number): Promise<number[]> {
  const times = await stock.time(events);
  return times.map((arrivals) => quantileOf(arrivals, 0.99));
}

/** Comments with the time of their making, and events of lane R, all the time. */
function talkIn({ redis, shows }: Store): { readonly stop: () => Promise<void> } {
  const writes = createRoomWrites(redis);
  const chatter = createChatter();
  const over = new AbortController();
  const repeat = async (everyMs: number, act: () => Promise<unknown>): Promise<void> => {
    while (!over.signal.aborted) {
      await act();
      await sleep(everyMs);
    }
  };
  const say = (): Promise<unknown> =>
    writes.comment(
      SHOW,
      chatter((COMMENTS_PER_SECOND * TALK_EVERY_MS) / 1000).map((comment) => ({
        ...comment,
        text: stamped(comment.text, performance.timeOrigin + performance.now()),
      })),
    );
  let stock = 0;
  const change = (): Promise<unknown> =>
    shows.putProduct(SHOW, {
      sku: "cup",
      title: "Cup",
      priceCents: 9900,
      stock: ++stock,
      imageUrl: "",
      category: "cups",
    });
  const talking = Promise.all([repeat(TALK_EVERY_MS, say), repeat(PRODUCT_EVERY_MS, change)]);
  return {
    async stop() {
      over.abort();
      await talking;
    },
  };
}

/** Waits until each of them has been shown something new. @returns the greatest age at which a comment was shown, ms */
async function oldestAfterWaking(asleep: Swarm, shownBefore: readonly number[]): Promise<number> {
  const giveUpMs = performance.now() + AWAKE_WITHIN_MS;
  for (;;) {
    const histories = await asleep.histories();
    const { joined: back } = await asleep.figures();
    if (
      back === histories.length &&
      histories.every((h, i) => h.receipts.shown > (shownBefore[i] ?? 0))
    )
      return quantilesMs((await asleep.figures()).fanoutUs).max ?? 0;
    if (performance.now() > giveUpMs) throw new Error("a sleeper woke and was shown nothing");
    await sleep(50);
  }
}

/** @throws when anybody's lane R is not whole, or went back */
async function checkReliable(swarms: readonly Swarm[]): Promise<void> {
  const histories = (await Promise.all(swarms.map((swarm) => swarm.histories()))).flat();
  const newest = Math.max(...histories.map(({ offset }) => offset));
  for (const { viewer, offset, lost, backwards } of histories)
    if (offset !== newest || lost > 0 || backwards > 0)
      throw new Error(
        `viewer ${viewer} is at ${offset} of ${newest}, lost ${lost}, went back ${backwards} times`,
      );
}

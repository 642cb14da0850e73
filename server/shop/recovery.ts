/**
 * After a failover: the new primary may lack holds that buyers were told of. Its first command finds that it is not the primary the
 * show knows, so drops of class `replica` stand still (`isPaused` in books.lua): from then on nothing can be sold twice. Each node
 * looks several times a second; the first begins a new epoch, so that every room starts over from what is really there; all bring
 * back what their journals have and the primary lacks: what ended first, then what was told; then the drops go on. Holds whose
 * buyers were still waiting for an answer are asked for once more after that: they end as held or cancelled, and the log says so.
 * Takes 1–1.5 s when all nodes live, 4 s when one that keeps a journal does not come; a journal that comes later is still
 * brought in, and what no longer fits is counted (`overcommitted` in the show's meta) and logged, never sold twice.
 * A Redis that was merely restarted is treated alike: it is a new primary until the nodes have looked.
 */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Part } from "../lifecycle.ts";
import { startLoop } from "../loop.ts";
import { createLook } from "./epochs.ts";
import { type DropRequest, type Inventory, MAX_PER_CALL } from "./inventory.ts";
import type { Journal, JournalRecord } from "./journal.ts";

export interface RecoveryPorts {
  readonly redis: Redis;
  readonly inventory: Pick<Inventory, "decide" | "sweep">;
  readonly journal: Journal;
  readonly node: string;
  /** Shows with drops of class replica whose rooms are open here. */
  readonly shows: () => Iterable<string>;
  /** All shows whose rooms are open here. */
  readonly allShows: () => Iterable<string>;
  readonly log: Logger;
}

const LOOK_EVERY_MS = 250;
/** Shows without such drops: they only need to notice. */
const LOOK_AT_ALL_EVERY_MS = 1000;
const MAX_SWEEPS = 50;

export function startRecovery(ports: RecoveryPorts): Part {
  const { inventory, journal, log, node } = ports;
  const lookAt = createLook(ports.redis, node);

  const bringBack = async (
    show: string,
    epoch: string,
    records: readonly JournalRecord[],
  ): Promise<void> => {
    if (records.length === 0) return;
    const back: Record<string, number> = {};
    // What is past its deadline makes room for what came after it.
    for (let i = 0; i < MAX_SWEEPS && (await inventory.sweep(show)).changed > 0; i++);
    for (let i = 0; i < records.length; i += MAX_PER_CALL) {
      const batch = records.slice(i, i + MAX_PER_CALL);
      const answers = await inventory.decide(show, batch.map(requestFor));
      batch.forEach((record, n) => {
        const [word = ""] = answers[n] ?? [];
        back[word] = (back[word] ?? 0) + 1;
        journal.note(show, epoch, record, record.state);
        report(show, record, word);
      });
    }
    log.info({ show, ...back }, "holds of this node's journal are back");
  };
  const report = (show: string, { dropId, key, state }: JournalRecord, word: string): void => {
    const wasTold = state === "told" || state === "paid";
    if (wasTold && (word === "overcommitted" || word === "unknown"))
      log.error({ show, dropId, key }, "a hold that its buyer was told of is lost: no units left");
    if (state === "paid" && word === "held")
      log.error({ show, dropId, key }, "a paid order came back as a hold: check its payment");
  };

  const look = async (show: string): Promise<void> => {
    const { word, epoch } = await lookAt(show);
    const strangers = journal.strangers(show, epoch);
    if (word === "settled" || word === "resumed")
      await bringBack(show, epoch, strangers.toSorted(byCertainty));
    if (word === "resumed")
      log.warn({ show }, "another primary: everybody starts over from what is there");
    if (word !== "recovering") return;
    const certain = strangers.filter(({ state }) => state !== "decided");
    await bringBack(show, epoch, certain.toSorted(byCertainty));
    const after = await lookAt(show, 1);
    if (after.word === "resumed")
      log.warn({ show, missingJournals: after.missing }, "sale goes on, on another primary");
  };
  let allAtMs = 0;
  // A new primary is met on a new connection.
  const lookAtAll = (): void => void (allAtMs = 0);
  ports.redis.on("ready", lookAtAll);
  const loop = startLoop({
    name: "recovery",
    everyMs: LOOK_EVERY_MS,
    log,
    async step() {
      const shows = new Set([...journal.shows(), ...ports.shows()]);
      if (performance.now() >= allAtMs) {
        for (const show of ports.allShows()) shows.add(show);
        allAtMs = performance.now() + LOOK_AT_ALL_EVERY_MS;
      }
      await Promise.all([...shows].map(look));
    },
  });
  return {
    name: "recovery",
    async stop() {
      ports.redis.off("ready", lookAtAll);
      await loop.stop();
    },
  };
}

const ORDER = { ended: 0, paid: 1, told: 2, decided: 3 } as const;

const byCertainty = (a: JournalRecord, b: JournalRecord): number => ORDER[a.state] - ORDER[b.state];

const requestFor = (record: JournalRecord): DropRequest => {
  const { viewerId, key, dropId, quantity, coupons, deadlineMs, state } = record;
  if (state === "ended") return { what: "cancel", viewerId, key, dropId: "", quantity: 0 };
  const before = { deadlineMs, wasTold: state !== "decided" };
  return { what: "reapply", viewerId, key, dropId, quantity, coupons, before };
};

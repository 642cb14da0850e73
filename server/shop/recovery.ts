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
import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Part } from "../lifecycle.ts";
import { startLoop } from "../loop.ts";
import { showKeys } from "../redis/keys.ts";
import { loadScript } from "../redis/lua.ts";
import type { DropRequest, Inventory } from "./inventory.ts";
import { KEEP_MS, type Journal, type JournalRecord } from "./journal.ts";

export interface RecoveryPorts {
  readonly redis: Redis;
  readonly inventory: Pick<Inventory, "decide" | "sweep">;
  readonly journal: Journal;
  readonly node: string;
  /** Shows with drops of class replica whose rooms are open here. */
  readonly shows: () => Iterable<string>;
  readonly log: Logger;
}

const LOOK_EVERY_MS = 250;
/** Every living node looks within this. */
const LEAST_MS = 1000;
const MOST_MS = 4000;
const MAX_BATCH = 256;
const MAX_SWEEPS = 50;

export function startRecovery(ports: RecoveryPorts): Part {
  const { inventory, journal, log, node } = ports;
  const recover = loadScript(ports.redis, {
    file: new URL("recover.lua", import.meta.url),
    keys: ["meta", "drops", "due", "journals", "reported"],
    args: ["node", "hasReported", "epoch", "minMs", "maxMs", "keepMs"],
    read: (reply) => {
      const [word, epoch, missing] = reply as [Buffer, Buffer, number];
      return { word: String(word), epoch: String(epoch), missing };
    },
  });
  const call = (show: string, hasReported: 0 | 1): ReturnType<typeof recover> =>
    recover(showKeys(show), {
      node,
      hasReported,
      epoch: randomBytes(9).toString("base64url"),
      minMs: LEAST_MS,
      maxMs: MOST_MS,
      keepMs: KEEP_MS,
    });

  const bringBack = async (
    show: string,
    epoch: string,
    records: readonly JournalRecord[],
  ): Promise<void> => {
    if (records.length === 0) return;
    const back: Record<string, number> = {};
    // What is past its deadline makes room for what came after it.
    for (let i = 0; i < MAX_SWEEPS && (await inventory.sweep(show)).changed > 0; i++);
    for (let i = 0; i < records.length; i += MAX_BATCH) {
      const batch = records.slice(i, i + MAX_BATCH);
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
    const { word, epoch } = await call(show, 0);
    const strangers = journal.strangers(show, epoch);
    if (word === "settled") await bringBack(show, epoch, strangers.toSorted(byCertainty));
    if (word !== "recovering") return;
    const certain = strangers.filter(({ state }) => state !== "decided");
    await bringBack(show, epoch, certain.toSorted(byCertainty));
    const after = await call(show, 1);
    if (after.word === "resumed")
      log.warn({ show, missingJournals: after.missing }, "sale goes on, on another primary");
  };
  return startLoop({
    name: "recovery",
    everyMs: LOOK_EVERY_MS,
    log,
    async step() {
      await Promise.all([...new Set([...journal.shows(), ...ports.shows()])].map(look));
    },
  });
}

const ORDER = { ended: 0, paid: 1, told: 2, decided: 3 } as const;

const byCertainty = (a: JournalRecord, b: JournalRecord): number => ORDER[a.state] - ORDER[b.state];

const requestFor = (record: JournalRecord): DropRequest => {
  const { viewerId, key, dropId, quantity, coupons, deadlineMs, state } = record;
  if (state === "ended") return { what: "cancel", viewerId, key, dropId: "", quantity: 0 };
  const before = { deadlineMs, wasTold: state !== "decided" };
  return { what: "reapply", viewerId, key, dropId, quantity, coupons, before };
};

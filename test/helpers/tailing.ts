/** A shop whose ledger is tailed into files, for tests of tail, comparison and trimming. */
import { pino } from "pino";
import { expect } from "vitest";
import { type Audit, auditFolder } from "../../server/ledger/audit.ts";
import { ledgerFolder, showFolder } from "../../server/ledger/files.ts";
import { type LedgerKey, openLedgerKey } from "../../server/ledger/key.ts";
import { compareLive, type LiveComparison } from "../../server/ledger/live.ts";
import { startTail, type Tail, type TailPorts } from "../../server/ledger/tail.ts";
import { showKeys } from "../../server/redis/keys.ts";
import { createLook } from "../../server/shop/epochs.ts";
import type { DropRequest, NewDrop } from "../../server/shop/inventory.ts";
import { newFolder, removeFolders } from "./ledger.ts";
import { until } from "./rooms.ts";
import { type Shop, startShop } from "./shop.ts";

export interface Tailing {
  readonly shop: Shop;
  readonly dataDir: string;
  readonly key: LedgerKey;
  /** A tail of these shows into the data folder, quick, with small segments. */
  tail(shows: readonly string[], more?: Partial<TailPorts>): Tail;
  stopTail(tail: Tail): Promise<void>;
  stopTails(): Promise<void>;
  /** A show with a drop `d` of 300 units. */
  open(terms?: Partial<NewDrop>): Promise<string>;
  /** That many holds: a third are paid, a third cancelled. @param from number of the first */
  rush(show: string, from: number, count: number): Promise<void>;
  /** The show's files. */
  folderOf(show: string, dataDir?: string): string;
  auditOf(show: string, dataDir?: string): Promise<Audit>;
  /** The number of the newest movement in Redis. */
  newest(show: string): Promise<number>;
  /** Until the files hold all that Redis holds now. */
  caughtUp(show: string, dataDir?: string): Promise<void>;
  /** The files, which must verify, against Redis. */
  compared(show: string): Promise<LiveComparison>;
  stop(): Promise<void>;
}

const LIMITS = { maxSegmentBytes: 8000, checkpointMovements: 20, checkpointMs: 50 };

export const asked = (what: DropRequest["what"], viewerId: string, key: string): DropRequest => ({
  what,
  viewerId,
  key,
  dropId: what === "hold" || what === "wait" ? "d" : "",
  quantity: 1,
});

export async function startTailing(): Promise<Tailing> {
  const shop = await startShop({ fsyncAlways: true });
  const dataDir = newFolder();
  const key = openLedgerKey(dataDir);
  const tails = new Set<Tail>();
  const { redis } = shop;

  const folderOf = (show: string, dir = dataDir): string => showFolder(ledgerFolder(dir), show);
  const newest = async (show: string): Promise<number> =>
    Number(await redis.hget(showKeys(show).meta, "ledgerNo"));
  const auditOf = (show: string, dir = dataDir): Promise<Audit> =>
    auditFolder(folderOf(show, dir), { show, publicKey: key.publicKey });
  const stopTail = async (tail: Tail): Promise<void> => {
    tails.delete(tail);
    await tail.stop();
  };
  const stopTails = async (): Promise<void> => {
    await Promise.all([...tails].map(stopTail));
  };
  return {
    shop,
    dataDir,
    key,
    folderOf,
    newest,
    auditOf,
    stopTail,
    stopTails,
    tail(shows, more = {}) {
      const tail = startTail({
        redis,
        folder: ledgerFolder(dataDir),
        key,
        look: createLook(redis, "tail"),
        reach: async () => true,
        shows: () => shows,
        log: pino({ level: "silent" }),
        everyMs: 5,
        limits: LIMITS,
        ...more,
      });
      tails.add(tail);
      return tail;
    },
    open: (terms = {}) => shop.open({ allotment: 300, perBuyerLimit: 20, ...terms }),
    async rush(show, from, count) {
      const all = Array.from(
        { length: count },
        (_, i) => [`v${(from + i) % 50}`, from + i] as const,
      );
      for (let i = 0; i < all.length; i += 40) {
        const some = all.slice(i, i + 40);
        const holds = some.map(([viewer, n]) => asked("hold", viewer, `k${n}`));
        await shop.nodes[0].decide(show, holds);
        const ends = some.flatMap(([viewer, n]) =>
          ENDS[n % 3]?.map((what) => asked(what, viewer, `k${n}`)),
        );
        await shop.nodes[1].decide(
          show,
          ends.filter((request) => request !== undefined),
        );
      }
    },
    async caughtUp(show, dir = dataDir) {
      const due = await newest(show);
      await until(async () => (await auditOf(show, dir)).lastNo >= due, 10_000);
    },
    async compared(show) {
      const { bad, replay, lastNo } = await auditOf(show);
      expect(bad).toBe(undefined);
      const folder = folderOf(show);
      return (await compareLive({ redis, show, folder, replay, lastNo })) as LiveComparison;
    },
    async stop() {
      await stopTails();
      await shop.stop();
      removeFolders();
    },
  };
}

const ENDS: readonly (readonly DropRequest["what"][])[] = [["pay", "settle"], ["cancel"], []];

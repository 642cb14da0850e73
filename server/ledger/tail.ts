/**
 * Tails every show's ledger from Redis into its files, off the hot path. Guarantees: files hold what Redis holds, in its order, each
 * movement once, on disk within about `everyMs`; after a crash they go on where they ended. Files that disagree with Redis, or with
 * their own checkpoints, are left alone: the log says so once, and the show is looked at again now and then. Idle cost: one read of
 * one stream per awake show and round. One process per folder: a second one waits for the first to end.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Part } from "../lifecycle.ts";
import { startLoop } from "../loop.ts";
import { SHOWS_KEY } from "../redis/keys.ts";
import { Refusal } from "../refusal.ts";
import { lockFolder } from "../supervisor/folder-lock.ts";
import { type Chain, CHAIN_LIMITS, type ChainLimits, openChain } from "./chain.ts";
import { showFolder } from "./files.ts";
import type { LedgerKey } from "./key.ts";
import { isSameMovement, isSamePublic, type Movement } from "./movement.ts";
import { LedgerDamage, signedNoOf } from "./resume.ts";
import { entriesAfter, entryWith, newestNo, trimBelow } from "./stream.ts";

export interface Tail extends Part {
  /** Movements written since the start. */
  readonly written: number;
  /** Shows whose files cannot be gone on with, and why. */
  readonly stuck: ReadonlyMap<string, string>;
}

export interface TailPorts {
  readonly redis: Redis;
  /** `<DATA_DIR>/ledger` */
  readonly folder: string;
  readonly key: LedgerKey;
  /** Shows to follow closely; asked anew each round. Others are looked at every 30 s. */
  readonly shows: () => Iterable<string>;
  readonly log: Logger;
  readonly everyMs?: number;
  readonly limits?: Partial<ChainLimits>;
  readonly now?: () => number;
  /** Takes out of Redis what lies before the last checkpoint. Off: Redis keeps it all. */
  readonly trims?: boolean;
}

const EVERY_MS = 200;
const LOOK_AT_ALL_MS = 30_000;
const RETRY_MS = 2000;
/** Movements sealed in one turn of the loop: about 10 ms. */
const SLICE = 1024;
const MAX_TOGETHER = 16;
/** Pages of one show in one round, so that a show that lags far does not starve the others. */
const MAX_PAGES = 64;

export function startTail(ports: TailPorts): Tail {
  const { everyMs = EVERY_MS, folder, key, log, now = Date.now, redis } = ports;
  const limits = { ...CHAIN_LIMITS, ...ports.limits };
  const chains = new Map<string, Chain>();
  const stuck = new Map<string, string>();
  const retryAtMs = new Map<string, number>();
  /** Ended shows whose files are complete: number of their last movement. */
  const complete = new Map<string, number>();
  let unlock: (() => void) | undefined;
  let lookAtAllMs = 0;
  let written = 0;
  // After an outage another Redis may answer, or the same with less: compare before going on.
  const unchecked = new Set<string>();
  const onReady = (): void => {
    for (const show of chains.keys()) unchecked.add(show);
  };
  redis.on("ready", onReady);

  const chainOf = async (show: string): Promise<Chain> => {
    const known = chains.get(show);
    if (known !== undefined) return known;
    const chain = await openChain({ folder: showFolder(folder, show), show, key, limits, now });
    chains.set(show, chain);
    unchecked.add(show);
    if (chain.cutBytes > 0)
      log.warn({ show, bytes: chain.cutBytes }, "ledger: a write cut short is done again");
    return chain;
  };
  /** Compares the newest movement, and takes the rest of an entry of which only a part was written. */
  const check = async (show: string, chain: Chain): Promise<void> => {
    const { last, lastNo } = chain;
    if (last !== undefined) {
      const entry = await entryWith(redis, show, lastNo);
      const same = entry?.movements[lastNo - entry.first];
      if (entry === undefined || same === undefined)
        throw new LedgerDamage(`Redis does not have movement ${lastNo}, the last one here`);
      // Without its viewer, if that was taken out of the file.
      const isSame = last.holdId === "" ? isSamePublic(same, last) : isSameMovement(same, last);
      if (!isSame) throw new LedgerDamage(`movement ${lastNo} is not the same here and in Redis`);
      await append(chain, entry.movements.slice(lastNo + 1 - entry.first));
    }
    unchecked.delete(show);
  };
  const append = async (chain: Chain, movements: readonly Movement[]): Promise<void> => {
    const [first] = movements;
    if (first !== undefined && first.no !== chain.lastNo + 1)
      throw new LedgerDamage(`Redis has movement ${first.no} after ${chain.lastNo}`);
    for (let i = 0; i < movements.length; i += SLICE) {
      if (i > 0) await nextTurn();
      await chain.append(movements.slice(i, i + SLICE));
    }
    written += movements.length;
  };
  /** Everything there is now, or as much of it as one round may take. */
  const catchUp = async (show: string, stopping: AbortSignal): Promise<void> => {
    const chain = await chainOf(show);
    if (unchecked.has(show)) await check(show, chain);
    const { signedNo } = chain;
    for (let page = 0; page < MAX_PAGES && !stopping.aborted; page++) {
      const entries = await entriesAfter(redis, show, chain.lastNo);
      if (entries.length === 0) break;
      await append(
        chain,
        entries.flatMap((entry) => entry.movements),
      );
    }
    await chain.commit();
    if (ports.trims === true && chain.signedNo > signedNo)
      await trimBelow(redis, show, chain.signedNo);
  };
  /** A show at rest needs no open files. */
  const rest = async (show: string): Promise<void> => {
    const chain = chains.get(show);
    if (chain === undefined || chain.lastNo !== (await newestNo(redis, show))) return;
    await chain.close();
    chains.delete(show);
    complete.set(show, chain.lastNo);
  };
  const tailShow = async (show: string, isAwake: boolean, stopping: AbortSignal): Promise<void> => {
    if (now() < (retryAtMs.get(show) ?? 0)) return;
    try {
      await catchUp(show, stopping);
      if (!isAwake && !stopping.aborted) await rest(show);
      retryAtMs.delete(show);
      stuck.delete(show);
    } catch (fault) {
      const chain = chains.get(show);
      chains.delete(show);
      await chain?.abandon();
      const isDamage = fault instanceof LedgerDamage;
      if (!isDamage && !isDiskFault(fault)) throw fault;
      retryAtMs.set(show, now() + (isDamage ? LOOK_AT_ALL_MS : RETRY_MS));
      const { message } = fault as Error;
      if (stuck.get(show) !== message) log.error({ show, reason: message }, HELP[Number(isDamage)]);
      stuck.set(show, message);
    }
  };
  /** Shows that nobody looks after any more, but whose files are not complete: a crash, or a late refund. */
  const stragglers = async (): Promise<readonly string[]> => {
    if (now() < lookAtAllMs) return [];
    lookAtAllMs = now() + LOOK_AT_ALL_MS;
    const found: string[] = [];
    for (const show of await redis.smembers(SHOWS_KEY)) {
      const newest = await newestNo(redis, show);
      if (chains.has(show) || newest === (complete.get(show) ?? 0)) continue;
      if (newest === (await signedNoOf(showFolder(folder, show)))) complete.set(show, newest);
      else found.push(show);
    }
    return found;
  };
  const round = async (stopping: AbortSignal): Promise<void> => {
    unlock ??= await lockedOrNot(folder, log);
    if (unlock === undefined) return;
    const awake = new Set(ports.shows());
    const all = [...new Set([...awake, ...chains.keys(), ...(await stragglers())])];
    for (let i = 0; i < all.length && !stopping.aborted; i += MAX_TOGETHER)
      await settled(
        all.slice(i, i + MAX_TOGETHER).map((show) => tailShow(show, awake.has(show), stopping)),
      );
  };
  const loop = startLoop({ name: "ledger tail", everyMs, log, step: round });
  return {
    name: "ledger tail",
    stuck,
    get written() {
      return written;
    },
    async stop() {
      await loop.stop();
      redis.off("ready", onReady);
      try {
        await Promise.all([...chains.values()].map((chain) => chain.close()));
      } finally {
        chains.clear();
        unlock?.();
      }
    },
  };
}

const HELP = [
  "ledger: the files cannot be written, trying again",
  "ledger: the files are not what they should be and are left alone; run npm run verify. To have them written again from Redis, move the show's folder away",
] as const;

/** The disk is full, failing or not ours; such errors name the call. Redis' have none of these codes. */
const isDiskFault = (fault: unknown): boolean => {
  const { code = "" } = fault as NodeJS.ErrnoException;
  return ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EPERM", "EMFILE", "ENFILE"].includes(code);
};

/** All of them end before the first fault is thrown: nothing goes on behind the loop's back. */
async function settled(work: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(work))
    if (outcome.status === "rejected") throw outcome.reason;
}

/** @returns undefined while another process has the folder, or the disk cannot be written */
async function lockedOrNot(folder: string, log: Logger): Promise<(() => void) | undefined> {
  const own = join(folder, ".tail");
  try {
    mkdirSync(own, { recursive: true, mode: 0o700 });
    return await lockFolder(own);
  } catch (error) {
    if (!(error instanceof Refusal) && !isDiskFault(error)) throw error;
    log.debug({ reason: (error as Error).message }, "ledger: waits for its folder");
    return undefined;
  }
}

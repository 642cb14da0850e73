/**
 * Tails every show's ledger from Redis into its files, off the hot path. Guarantees: files hold what Redis holds, in its order, each
 * movement once, on disk within about `everyMs`; after a crash they go on where they ended. Files that disagree with Redis, or with
 * their own checkpoints, are left alone: the log says so once, and the show is looked at again now and then. After a failover, and
 * only then, Redis may lack movements that the files have: they go on from what both have, in a stretch of its own (stretch.ts). Of
 * shows with drops of class `replica` only what replicas have is taken at all. Idle cost: one read of one stream per awake show and
 * round, and a look at its history every two seconds. One process per folder: a second one waits for the first to end.
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
import type { Look, LookAt } from "../shop/epochs.ts";
import { lockFolder } from "../supervisor/folder-lock.ts";
import { type Chain, CHAIN_LIMITS, type ChainLimits, openChain } from "./chain.ts";
import { showFolder } from "./files.ts";
import type { LedgerKey } from "./key.ts";
import { isSameMovement, isSamePublic, type Movement } from "./movement.ts";
import { commonPart } from "./rejoin.ts";
import { LedgerDamage, signedNoOf } from "./resume.ts";
import { entriesAfter, entryWith, newestNo, trimBelow } from "./stream.ts";

export interface Tail extends Part {
  /** Movements written since the start. */
  readonly written: number;
  /** Shows whose files cannot be gone on with, and why. */
  readonly stuck: ReadonlyMap<string, string>;
  /** Shows with movements that replicas do not have yet, or that are being recovered. */
  readonly waiting: ReadonlySet<string>;
}

export interface TailPorts {
  readonly redis: Redis;
  /** `<DATA_DIR>/ledger` */
  readonly folder: string;
  readonly key: LedgerKey;
  /** Which history Redis tells; see shop/epochs.ts. */
  readonly look: LookAt;
  /** Of a show with drops of class replica: is all that Redis has said so far on the replicas? See shop/fence.ts. */
  readonly reach: (show: string, epoch: string) => Promise<boolean>;
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
const LOOK_AT_HISTORY_MS = 2000;
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
  const waiting = new Set<string>();
  /** Shows whose files may end in the middle of an entry of Redis. */
  const inPart = new Set<string>();
  // After an outage another Redis may answer, or the same with less: look before going on. By show, what was seen and when.
  const looks = new Map<string, Look & { readonly untilMs: number }>();
  const onReady = (): void => {
    looks.clear();
    retryAtMs.clear();
  };
  redis.on("ready", onReady);

  /** @returns undefined while the show is being recovered on another primary */
  const chainOf = async (show: string): Promise<readonly [Chain, Look] | undefined> => {
    const known = looks.get(show);
    const open = chains.get(show);
    if (known !== undefined && open !== undefined && now() < known.untilMs) return [open, known];
    const seen = await ports.look(show);
    if (seen.word === "recovering") return undefined;
    const chain = open ?? (await openFiles(show, seen.epoch));
    if (seen.word === "gone" && chain.lastNo > 0)
      throw new LedgerDamage("Redis does not have this show any more");
    if (chain.epoch === seen.epoch) await check(show, chain);
    else await goOn(show, chain, seen.epoch);
    looks.set(show, { ...seen, untilMs: now() + LOOK_AT_HISTORY_MS });
    return [chain, seen];
  };
  const openFiles = async (show: string, epoch: string): Promise<Chain> => {
    const files = { folder: showFolder(folder, show), show, epoch };
    const chain = await openChain({ ...files, key, limits, now });
    chains.set(show, chain);
    inPart.add(show);
    if (chain.cutBytes > 0)
      log.warn({ show, bytes: chain.cutBytes }, "ledger: a write cut short is done again");
    return chain;
  };
  /** Same history: the newest movement of the files must be in it. */
  const check = async (show: string, { last, lastNo }: Chain): Promise<void> => {
    if (last === undefined) return;
    const entry = await entryWith(redis, show, lastNo);
    const same = entry?.movements[lastNo - entry.first];
    if (entry === undefined || same === undefined)
      throw new LedgerDamage(`Redis does not have movement ${lastNo}, the last one here`);
    // Without its viewer, if that was taken out of the file.
    const isSame = last.holdId === "" ? isSamePublic(same, last) : isSameMovement(same, last);
    if (!isSame) throw new LedgerDamage(`movement ${lastNo} is not the same here and in Redis`);
  };
  /** Another history: on from what both have. */
  const goOn = async (show: string, chain: Chain, epoch: string): Promise<void> => {
    await chain.commit();
    const { after, drops } = await commonPart(redis, show, showFolder(folder, show));
    const annulled = chain.lastNo - after;
    const [seconds, micros] = await redis.time();
    const atMs = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
    inPart.add(show);
    await chain.beginEpoch({ epoch, after, annulled, atMs, drops });
    log.warn(
      { show, after, annulled },
      "ledger: another primary, the files go on with its history",
    );
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
  const nextOf = async (show: string, { lastNo }: Chain): Promise<readonly Movement[]> => {
    const within = inPart.delete(show) && lastNo > 0 && (await entryWith(redis, show, lastNo));
    const rest = within ? within.movements.slice(lastNo + 1 - within.first) : [];
    if (rest.length > 0) return rest;
    return (await entriesAfter(redis, show, lastNo)).flatMap((entry) => entry.movements);
  };
  /** Everything there is now, or as much of it as one round may take. */
  const catchUp = async (show: string, stopping: AbortSignal): Promise<void> => {
    const known = await chainOf(show);
    if (known === undefined) {
      waiting.add(show);
      return;
    }
    const [chain, { epoch, isGuarded }] = known;
    const { signedNo } = chain;
    waiting.delete(show);
    for (let page = 0; page < MAX_PAGES && !stopping.aborted; page++) {
      const movements = await nextOf(show, chain);
      if (movements.length === 0) break;
      if (isGuarded && !(await ports.reach(show, epoch))) {
        waiting.add(show);
        inPart.add(show);
        break;
      }
      await append(chain, movements);
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
    looks.delete(show);
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
      looks.delete(show);
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
    waiting,
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

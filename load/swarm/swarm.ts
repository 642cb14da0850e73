/**
 * Thousands of viewers on real sockets, for benches, tests and rehearsals. Spread over child processes (a process may have
 * 20,000 open files), each with its own source addresses; figures and histories come back as plain values.
 * Cost: about 15 kB of memory per viewer, and on loopback as much CPU as the server that feeds them: measure the two apart.
 */
import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { NamesGoing } from "#wire";
import { type Counts, createCrowd, type Crowd, type CrowdOptions, type Rates } from "./crowd.ts";
import type { CrowdAnswer } from "./crowd-process.ts";
import type { DialectName } from "./dialects.ts";
import type { HoldResult, ViewerHistory } from "./history.ts";
import { addUp, type Figures, sumByName } from "./tally.ts";

export interface SwarmOptions {
  /** `ws://host:port`, the path of the wire is added; several are shared out among the viewers. */
  readonly url: string | readonly string[];
  readonly show: string;
  readonly viewers: number;
  /** Called once per viewer, at most 32 at a time. */
  readonly token: (index: number) => Promise<string>;
  /** Default 1000. */
  readonly joinsPerSecond?: number;
  /** Child processes; 0: all viewers in this process. Default: as many as the open-file limit asks for, at least one. */
  readonly processes?: number;
  /** Once in the room, count messages and do not look at them. Default false. */
  readonly countsOnly?: boolean;
  /** Come back after a lost connection. Default true, for bare ones false. */
  readonly comesBack?: boolean;
  /** Without our wire: for control rows on other servers, in their words. The URL is taken as it is. */
  readonly bare?: DialectName;
}

export interface HoldAll {
  /** Each viewer draws its moment within this time. Default 0: all at once. */
  readonly withinMs?: number;
  /** Start on the server's clock; default: now. */
  readonly atMs?: number;
  readonly quantity?: number;
  /** Waits this long for the last answer. Default 15,000. */
  readonly answerWithinMs?: number;
}

export interface HoldTally {
  readonly asked: number;
  readonly answered: number;
  readonly byResult: Readonly<Partial<Record<HoldResult | "unanswered" | "failed", number>>>;
  /** From the first send to the answer, one per asked viewer. */
  readonly tookMs: readonly number[];
}

export interface Swarm {
  /** How many got in; the others never will, their histories say why. */
  readonly joined: Promise<number>;
  /** Every viewer in the room asks once for units of the drop. */
  holdAll(dropId: string, options?: HoldAll): Promise<HoldTally>;
  /** Comments and likes at these rates over all viewers; 0 and 0 ends it. */
  talk(rates: Rates): Promise<void>;
  /** This share of the viewers stops reading; 0 wakes all. */
  stall(share: number): Promise<void>;
  /** Keeps the times of arrival of these frames from now on, over all viewers. */
  watch(kind: NamesGoing<"down">): Promise<void>;
  /** Those since the last call, ms since 1970. */
  arrivals(): Promise<readonly number[]>;
  /** Cheap enough to be asked every few ms. */
  counts(): Promise<Counts>;
  figures(): Promise<Figures>;
  histories(): Promise<readonly ViewerHistory[]>;
  /** Ends every socket and child process. */
  readonly close: () => Promise<void>;
}

const VIEWERS_PER_PROCESS = 9000;
const TOKENS_AT_ONCE = 32;
const WIRE_PATH = "/v1/rt";

/** A crowd here or elsewhere. */
type Remote = {
  [M in keyof Crowd]: (...args: Parameters<Crowd[M]>) => Promise<Awaited<ReturnType<Crowd[M]>>>;
} & {
  end(): Promise<void>;
};

/** Resolves when the load processes are up; `joined` tells when the viewers are in. */
export async function startSwarm(options: SwarmOptions): Promise<Swarm> {
  const { viewers, joinsPerSecond = 1000, bare = "" } = options;
  const processes = options.processes ?? Math.max(1, Math.ceil(viewers / VIEWERS_PER_PROCESS));
  const parts = Math.max(1, processes);
  const tokens = await tokensFor(viewers, options.token);
  const addresses = typeof options.url === "string" ? [options.url] : options.url;
  const perPart = Math.ceil(viewers / parts);
  const crowds = await Promise.all(
    Array.from({ length: parts }, (_, part) => {
      const firstIndex = part * perPart;
      const crowd: CrowdOptions = {
        urls: addresses.map((url) => (bare !== "" ? url : new URL(WIRE_PATH, url).href)),
        show: options.show,
        tokens: tokens.slice(firstIndex, firstIndex + perPart),
        firstIndex,
        joinsPerSecond: joinsPerSecond / parts,
        dialect: bare,
        countsOnly: options.countsOnly ?? false,
        comesBack: options.comesBack ?? bare === "",
      };
      return processes === 0 ? inThisProcess(crowd) : inAChild(crowd);
    }),
  );
  const histories = async (): Promise<readonly ViewerHistory[]> =>
    (await Promise.all(crowds.map((c) => c.histories()))).flat();
  return {
    joined: Promise.all(crowds.map((c) => c.join())).then((counts) =>
      counts.reduce((a, b) => a + b, 0),
    ),
    async holdAll(dropId, { withinMs = 0, atMs = 0, quantity = 1, answerWithinMs = 15_000 } = {}) {
      const keyPrefix = randomBytes(6).toString("hex");
      const order = { dropId, quantity, keyPrefix, atMs, withinMs, answerWithinMs };
      const sums = await Promise.all(crowds.map((c) => c.hold(order)));
      return tallyOf(sums, await histories(), keyPrefix);
    },
    talk: async ({ commentsPerSecond, likesPerSecond, ...rest }) => {
      const rates = {
        ...rest,
        commentsPerSecond: commentsPerSecond / parts,
        likesPerSecond: likesPerSecond / parts,
      };
      await Promise.all(crowds.map((c) => c.talk(rates)));
    },
    stall: async (share) => void (await Promise.all(crowds.map((c) => c.stall(share)))),
    watch: async (kind) => void (await Promise.all(crowds.map((c) => c.watch(kind)))),
    arrivals: async () => (await Promise.all(crowds.map((c) => c.arrivals()))).flat(),
    counts: async () => addCounts(await Promise.all(crowds.map((c) => c.counts()))),
    figures: async () => addUp(await Promise.all(crowds.map((c) => c.figures()))),
    histories,
    close: async () => void (await Promise.all(crowds.map((c) => c.end()))),
  };
}

const addCounts = (parts: readonly Counts[]): Counts => ({
  frames: parts.reduce((n, part) => n + part.frames, 0),
  closes: parts.reduce((n, part) => n + part.closes, 0),
  byKind: sumByName(parts.map((part) => part.byKind)),
});

function tallyOf(
  sums: readonly (readonly [answered: number, asked: number])[],
  histories: readonly ViewerHistory[],
  keyPrefix: string,
): HoldTally {
  const byResult: Partial<Record<HoldResult | "unanswered" | "failed", number>> = {};
  const tookMs: number[] = [];
  for (const { holds } of histories)
    for (const hold of holds) {
      if (!hold.key.startsWith(keyPrefix)) continue;
      byResult[hold.result] = (byResult[hold.result] ?? 0) + 1;
      if (hold.result !== "unanswered") tookMs.push(hold.tookMs);
    }
  return {
    answered: sums.reduce((n, [answered]) => n + answered, 0),
    asked: sums.reduce((n, [, asked]) => n + asked, 0),
    byResult,
    tookMs,
  };
}

async function tokensFor(
  count: number,
  token: (index: number) => Promise<string>,
): Promise<string[]> {
  const tokens: string[] = [];
  let next = 0;
  const take = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) tokens[index] = await token(index);
  };
  await Promise.all(Array.from({ length: Math.min(count, TOKENS_AT_ONCE) }, take));
  return tokens;
}

async function inThisProcess(options: CrowdOptions): Promise<Remote> {
  const crowd = createCrowd(options);
  return {
    join: () => crowd.join(),
    hold: (order) => crowd.hold(order),
    talk: async (rates) => crowd.talk(rates),
    stall: async (share) => crowd.stall(share),
    watch: async (kind) => crowd.watch(kind),
    arrivals: async () => crowd.arrivals(),
    counts: async () => crowd.counts(),
    figures: async () => crowd.figures(),
    histories: async () => crowd.histories(),
    close: async () => crowd.close(),
    end: async () => crowd.close(),
  };
}

async function inAChild(options: CrowdOptions): Promise<Remote> {
  const file = fileURLToPath(new URL("crowd-process.ts", import.meta.url));
  // Not the parent's own flags: a test runner's are not for us.
  const child = fork(file, { execArgv: [] });
  const call = callsTo(child);
  await call("create", options);
  return {
    join: () => call("join") as Promise<number>,
    hold: (order) => call("hold", order) as Promise<readonly [number, number]>,
    talk: async (rates) => void (await call("talk", rates)),
    stall: async (share) => void (await call("stall", share)),
    watch: async (kind) => void (await call("watch", kind)),
    arrivals: () => call("arrivals") as Promise<readonly number[]>,
    counts: () => call("counts") as Promise<Counts>,
    figures: () => call("figures") as Promise<Figures>,
    histories: () => call("histories") as Promise<readonly ViewerHistory[]>,
    close: async () => void (await call("close")),
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.disconnect();
      await ended;
    },
  };
}

function callsTo(
  child: ChildProcess,
): (method: string, ...args: readonly unknown[]) => Promise<unknown> {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let lastId = 0;
  child.on("message", (message) => {
    const { id, value, error } = message as CrowdAnswer;
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.resolve(value);
    else call?.reject(new Error(error));
  });
  child.once("exit", (code, signal) => {
    for (const { reject } of waiting.values())
      reject(new Error(`a load process ended (${signal ?? `exit code ${code}`})`));
    waiting.clear();
  });
  return (method, ...args) => {
    const call = Promise.withResolvers<unknown>();
    waiting.set(++lastId, call);
    child.send({ id: lastId, method, args });
    return call.promise;
  };
}

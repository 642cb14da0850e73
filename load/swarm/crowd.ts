/**
 * The viewers of one process. Lets them in at a given rate, makes them talk and buy, and keeps the sums. Owns every timer and
 * socket of its viewers: `close` leaves none.
 */
import { FRAMES, type NamesGoing } from "#wire";
import { createClock } from "../../client-sdk/clock.ts";
import { createDecoder, stamped } from "./decoding.ts";
import { type DialectName, DIALECTS } from "./dialects.ts";
import type { ViewerHistory } from "./history.ts";
import { createTimers } from "./timers.ts";
import { createTally, type Figures, kindCounts } from "./tally.ts";
import { Viewer, type ViewerPorts } from "./viewer.ts";

/** Plain values only: it travels to child processes. */
export interface CrowdOptions {
  readonly urls: readonly string[];
  readonly show: string;
  /** One per viewer; their number is the crowd's size. */
  readonly tokens: readonly string[];
  /** Place of the first viewer in the whole swarm. */
  readonly firstIndex: number;
  readonly joinsPerSecond: number;
  /** Of a server that does not speak our wire; "": ours. */
  readonly dialect: DialectName | "";
  readonly countsOnly: boolean;
  readonly comesBack: boolean;
}

export interface HoldOrder {
  readonly dropId: string;
  readonly quantity: number;
  /** Begins the keys of this round of holds. */
  readonly keyPrefix: string;
  /** On the server's clock; 0: now. */
  readonly atMs: number;
  /** Each viewer draws its moment within this time. */
  readonly withinMs: number;
  /** Waits this long for the last answer. */
  readonly answerWithinMs: number;
}

export interface Rates {
  readonly commentsPerSecond: number;
  readonly likesPerSecond: number;
  /** Default: half a second of one viewer's taps. */
  readonly likesPerFrame?: number;
}

export interface Counts {
  readonly frames: number;
  /** By frame name; empty for bare sockets. */
  readonly byKind: Readonly<Record<string, number>>;
  /** Connections that ended. */
  readonly closes: number;
}

export interface Crowd {
  /** Resolves when every viewer got in or never will. @returns how many are in */
  join(): Promise<number>;
  /** Every viewer in the room asks once. Resolves when all are answered, or at the deadline. @returns answered, asked */
  hold(order: HoldOrder): Promise<readonly [answered: number, asked: number]>;
  /** Keeps talking at these rates over all viewers until told otherwise. */
  talk(rates: Rates): void;
  /** This share of the viewers stops reading; 0 wakes all. */
  stall(share: number): void;
  /** Keeps the times of arrival of these frames from now on. */
  watch(kind: NamesGoing<"down">): void;
  /** Those since the last call, ms since 1970. */
  arrivals(): readonly number[];
  /** Messages received so far. */
  counts(): Counts;
  figures(): Figures;
  histories(): readonly ViewerHistory[];
  close(): void;
}

/** Viewers of one source address: far below the 28,000 ports it has, or each search for a free one takes long. */
const VIEWERS_PER_ADDRESS = 2000;
const ADDRESSES = 250;
/** How far our idea of the server's clock may be off: a tap before the start is refused, and proves nothing. */
const CLOCK_ERROR_MS = 5;
const BEAT_SECONDS = 22;
/** As often as the SDK on the average. */
const SEEN_TURNS = 82;
const FIRST_SEEN_TURNS = 10;
const SEEN_TURN_MS = 100;
const TALK_EVERY_MS = 20;
const LAG_EVERY_MS = 10;
/** Half a second of one viewer's taps. */
const LIKES_PER_FRAME = 5;

/** ms since 1970, monotonic. */
const nowMs = (): number => performance.timeOrigin + performance.now();

export function createCrowd(options: CrowdOptions): Crowd {
  const clock = createClock(nowMs);
  const tally = createTally();
  const timers = createTimers(nowMs);
  let missing = options.tokens.length;
  const everybody = Promise.withResolvers<void>();
  let answers = 0;
  let onAnswer: (() => void) | undefined;

  const urls = options.urls.map((url) => new URL(url));
  const isLoopback = urls.every(({ hostname }) => hostname.startsWith("127."));
  const ports: ViewerPorts = {
    ...options,
    dialect: options.dialect === "" ? undefined : DIALECTS[options.dialect],
    urls,
    tally,
    nowMs,
    decode: createDecoder(),
    serverNowMs: clock.now,
    probed: (clientAtMs, serverAtMs) => clock.probe(clientAtMs, nowMs(), serverAtMs),
    arrived: () => {
      if (--missing === 0) everybody.resolve();
    },
    holdAnswered: () => {
      answers++;
      onAnswer?.();
    },
  };
  const firstAddress = Math.floor(Math.random() * ADDRESSES);
  const viewers = options.tokens.map((token, i) => {
    const index = options.firstIndex + i;
    const address = `127.0.0.${2 + ((firstAddress + Math.floor(i / VIEWERS_PER_ADDRESS)) % ADDRESSES)}`;
    return new Viewer({ index, token, ...(isLoopback && { localAddress: address }) }, ports);
  });
  if (missing === 0) everybody.resolve();

  timers.every(LAG_EVERY_MS, (tookMs) => tally.lagUs.record((tookMs - LAG_EVERY_MS) * 1000));
  /** Does it for each viewer once in so many turns. */
  const byTurns = (turns: number, turnMs: number, act: (viewer: Viewer) => void): void => {
    let turn = 0;
    timers.every(turnMs, () => {
      turn = (turn + 1) % turns;
      for (let i = turn; i < viewers.length; i += turns) act(viewers[i] as Viewer);
    });
  };
  if (options.dialect === "") {
    byTurns(BEAT_SECONDS, 1000, (viewer) => viewer.beat());
    byTurns(SEEN_TURNS, SEEN_TURN_MS, (viewer) => viewer.saySeen());
    byTurns(FIRST_SEEN_TURNS, SEEN_TURN_MS, (viewer) => viewer.saySeen(true));
  }

  /** Some round trips at a quiet moment, so that a start on the server's clock is met to the millisecond. */
  const setClock = async (): Promise<void> => {
    for (const viewer of viewers.filter((v) => v.isJoined).slice(0, 8)) {
      viewer.beat();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  let speaker = 0;
  const nextSpeaker = (): Viewer | undefined => {
    for (let tries = 0; tries < viewers.length; tries++) {
      const viewer = viewers[speaker++ % viewers.length];
      if (viewer?.isJoined === true) return viewer;
    }
    return undefined;
  };
  let stopTalking: (() => void) | undefined;

  return {
    async join() {
      let next = 0;
      let allowed = 0;
      const letIn = (ms: number): void => {
        allowed += (options.joinsPerSecond * ms) / 1000;
        for (; next < viewers.length && next < allowed; next++) viewers[next]?.connect();
        if (next === viewers.length) shut();
      };
      const shut = timers.every(10, letIn);
      await everybody.promise;
      if (options.dialect === "") await setClock();
      return viewers.filter((v) => v.isJoined).length;
    },
    async hold({ dropId, quantity, keyPrefix, atMs, withinMs, answerWithinMs }) {
      const buyers = viewers
        .filter((v) => v.isJoined)
        .map((viewer) => ({ viewer, dueMs: Math.random() * withinMs }));
      buyers.sort((a, b) => a.dueMs - b.dueMs);
      const target = answers + buyers.length;
      const waitMs = atMs === 0 ? 0 : atMs + CLOCK_ERROR_MS - clock.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      const startMs = nowMs();
      let next = 0;
      const ask = (): void => {
        for (
          let b = buyers[next];
          b !== undefined && b.dueMs <= nowMs() - startMs;
          b = buyers[++next]
        )
          b.viewer.asks.hold(dropId, quantity, `${keyPrefix}-${b.viewer.history.viewer}`);
        if (next === buyers.length) stopAsking();
      };
      const stopAsking = timers.every(1, ask);
      ask();
      await new Promise<void>((resolve) => {
        const enough = setTimeout(resolve, withinMs + answerWithinMs);
        const look = (): void => {
          if (answers < target) return;
          clearTimeout(enough);
          resolve();
        };
        onAnswer = look;
        look();
      });
      stopAsking();
      return [buyers.length - Math.max(0, target - answers), buyers.length];
    },
    talk({ commentsPerSecond, likesPerSecond, likesPerFrame = LIKES_PER_FRAME }) {
      stopTalking?.();
      let comments = 0;
      let likes = 0;
      stopTalking = timers.every(TALK_EVERY_MS, (tookMs) => {
        comments += (commentsPerSecond * tookMs) / 1000;
        likes += (likesPerSecond * tookMs) / 1000;
        for (; comments >= 1; comments--)
          nextSpeaker()?.asks.comment(stamped("这个多少钱 how much is it", nowMs()));
        for (; likes >= likesPerFrame; likes -= likesPerFrame)
          nextSpeaker()?.asks.like(likesPerFrame);
      });
    },
    stall(share) {
      viewers.forEach((viewer, i) => (i < share * viewers.length ? viewer.stall() : viewer.wake()));
    },
    watch(kind) {
      tally.watched = FRAMES[kind].opcode;
    },
    arrivals() {
      const { arrivedAtMs } = tally;
      tally.arrivedAtMs = [];
      return arrivedAtMs;
    },
    counts: () => ({
      frames: tally.frames,
      byKind: kindCounts(tally.byOpcode),
      closes: viewers.reduce((n, { history }) => n + history.closes.length, 0),
    }),
    figures() {
      const closes: Record<string, number> = {};
      for (const { history } of viewers)
        for (const { code } of history.closes) closes[code] = (closes[code] ?? 0) + 1;
      const { user, system } = process.cpuUsage();
      return {
        viewers: viewers.length,
        joined: viewers.filter((v) => v.isJoined).length,
        frames: tally.frames,
        bytes: tally.bytes,
        byKind: kindCounts(tally.byOpcode),
        closes,
        faults: tally.faults,
        cpuSeconds: (user + system) / 1e6,
        joinUs: tally.joinUs.pack(),
        holdUs: tally.holdUs.pack(),
        commentUs: tally.commentUs.pack(),
        fanoutUs: tally.fanoutUs.pack(),
        lagUs: tally.lagUs.pack(),
      };
    },
    histories: () => viewers.map((v) => v.history),
    close() {
      timers.endAll();
      for (const viewer of viewers) viewer.close();
    },
  };
}

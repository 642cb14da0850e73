/**
 * Time and chance as numbers: a queue of events under a virtual clock. While it is installed, the timers, clocks and randomness of the
 * platform belong to it, so that the real client and the real gateway run unchanged, and the same seed gives the same run to the last
 * step. Every event and every timer has an owner (a node, a client, the store); what a dead owner had in mind never happens.
 */
import type { Chance } from "../helpers/chance.ts";

/** Whose code runs: with its own idea of the time. */
export interface Owner {
  readonly name: string;
  /** Seconds of its clock per true second. */
  readonly clockRate: number;
  readonly clockAheadMs: number;
  isDead: boolean;
}

interface Event {
  readonly atMs: number;
  readonly no: number;
  readonly owner: Owner;
  readonly what: string;
  readonly run: () => void;
  isOff: boolean;
}

export interface Virtual {
  readonly nowMs: number;
  /** Events that have happened. */
  readonly steps: number;
  /** Of everything that has happened so far. */
  readonly hash: number;
  /** The last few, one line each. */
  readonly trace: readonly string[];
  readonly owner: (name: string, clockRate?: number, clockAheadMs?: number) => Owner;
  /** @param what for the trace @returns takes it back */
  after(delayMs: number, owner: Owner, what: string, run: () => void): () => void;
  /** Events of this owner to come. */
  waiting(owner: Owner): readonly string[];
  /** Runs code of this owner, now. */
  as<T>(owner: Owner, run: () => T): T;
  /** Lets all events of the next so many ms happen. */
  pass(ms: number): Promise<void>;
  uninstall(): void;
}

/** 2026-01-01, so that clocks look like clocks. */
const EPOCH_MS = 1_767_225_600_000;
const MAX_TRACE = 400;

const stopTimer = (timer: { readonly off?: () => void } | undefined): void => timer?.off?.();

/** Takes over the platform until `uninstall`. */
export function install(chance: Chance): Virtual {
  const real = {
    setTimeout,
    clearTimeout,
    setInterval,
    clearInterval,
    setImmediate,
    clearImmediate,
    now: Date.now,
    random: Math.random,
  };
  const heap = createHeap();
  const trace: string[] = [];
  const nobody: Owner = { name: "nobody", clockRate: 1, clockAheadMs: 0, isDead: false };
  let [current, nowMs, no, steps, hash] = [nobody, 0, 0, 0, 0x811c9dc5];

  const after: Virtual["after"] = (delayMs, owner, what, run) => {
    const atMs = nowMs + Math.max(0, delayMs);
    const event: Event = { atMs, no: ++no, owner, what, run, isOff: false };
    heap.push(event);
    return () => {
      event.isOff = true;
    };
  };
  const clockMs = (): number => nowMs * current.clockRate + current.clockAheadMs;
  const startTimer = (fn: () => void, ms: number, what: string, isRepeated: boolean): object => {
    const owner = current;
    const everyMs = Math.max(1, ms) / owner.clockRate;
    const timer = { off: () => undefined as void, unref: () => timer, ref: () => timer };
    const fire = (): void => {
      if (isRepeated) timer.off = after(everyMs, owner, what, fire);
      fn();
    };
    timer.off = after(everyMs, owner, what, fire);
    return timer;
  };
  Object.assign(globalThis, {
    setTimeout: (fn: () => void, ms = 0) => startTimer(fn, ms, "timeout", false),
    setInterval: (fn: () => void, ms = 0) => startTimer(fn, ms, "interval", true),
    setImmediate(fn: () => void) {
      return { off: after(0, current, "immediate", fn) };
    },
    clearTimeout: stopTimer,
    clearInterval: stopTimer,
    clearImmediate: stopTimer,
  });
  Math.random = chance;
  Date.now = () => EPOCH_MS + clockMs();
  Object.defineProperty(performance, "now", { value: clockMs, configurable: true });
  Object.defineProperty(performance, "timeOrigin", { value: EPOCH_MS, configurable: true });
  Object.defineProperty(crypto, "getRandomValues", {
    value: (bytes: Uint8Array) => bytes.map(() => chance.below(256)),
    configurable: true,
  });

  const note = (event: Event): void => {
    const line = `${event.atMs.toFixed(3)} ${event.owner.name}: ${event.what}`;
    // FNV-1a.
    for (let i = 0; i < line.length; i++) hash = Math.imul(hash ^ line.charCodeAt(i), 0x01000193);
    trace.push(line);
    if (trace.length > 2 * MAX_TRACE) trace.splice(0, MAX_TRACE);
  };
  return {
    get nowMs() {
      return nowMs;
    },
    get steps() {
      return steps;
    },
    get hash() {
      return hash >>> 0;
    },
    trace,
    owner: (name, clockRate = 1, clockAheadMs = 0) => ({
      name,
      clockRate,
      clockAheadMs,
      isDead: false,
    }),
    after,
    waiting: (owner) => heap.all().flatMap((e) => (e.owner === owner && !e.isOff ? [e.what] : [])),
    as(owner, run) {
      const before = current;
      current = owner;
      try {
        return run();
      } finally {
        current = before;
      }
    },
    async pass(ms) {
      const untilMs = nowMs + ms;
      for (;;) {
        const event = heap.peek();
        if (event === undefined || event.atMs > untilMs) break;
        heap.pop();
        if (event.isOff || event.owner.isDead) continue;
        nowMs = event.atMs;
        steps++;
        note(event);
        current = event.owner;
        event.run();
        // All that follows from it by promises, before anything else happens.
        await new Promise<void>((resolve) => real.setImmediate(resolve));
        current = nobody;
      }
      nowMs = untilMs;
    },
    uninstall() {
      const { now, random, ...timers } = real;
      Object.assign(globalThis, timers);
      Date.now = now;
      Math.random = random;
      for (const name of ["now", "timeOrigin"]) Reflect.deleteProperty(performance, name);
      Reflect.deleteProperty(crypto, "getRandomValues");
    },
  };
}

/** Earliest first; of the same moment, first come, first served. */
function createHeap() {
  const events: Event[] = [];
  const isBefore = (a: Event, b: Event): boolean =>
    a.atMs < b.atMs || (a.atMs === b.atMs && a.no < b.no);
  const swap = (i: number, j: number): void => {
    const event = events[i] as Event;
    events[i] = events[j] as Event;
    events[j] = event;
  };
  return {
    all: (): readonly Event[] => events,
    peek: (): Event | undefined => events[0],
    push(event: Event): void {
      let i = events.push(event) - 1;
      while (i > 0) {
        const parent = (i - 1) >> 1;
        if (isBefore(events[parent] as Event, event)) break;
        swap(i, parent);
        i = parent;
      }
    },
    pop(): void {
      const last = events.pop();
      if (last === undefined || events.length === 0) return;
      events[0] = last;
      for (let i = 0; ;) {
        let least = i;
        for (const child of [2 * i + 1, 2 * i + 2])
          if (child < events.length && isBefore(events[child] as Event, events[least] as Event))
            least = child;
        if (least === i) return;
        swap(i, least);
        i = least;
      }
    },
  };
}

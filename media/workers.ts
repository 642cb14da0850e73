/**
 * The mediasoup workers: one WebRtcServer (UDP and TCP) each, on rtcPort, rtcPort+1, … A dead worker is replaced on its
 * own port, at once the first time, then with growing delay; `take` waits for that. Costs one child process a worker
 * and one call to each per second for its CPU share.
 */
import { networkInterfaces } from "node:os";
import { createWorker, type types } from "mediasoup";
import { called } from "./calls.ts";
import { MediaFault, PortTaken } from "./faults.ts";
import type { Log } from "./log.ts";

export interface MediaWorker {
  readonly worker: types.Worker;
  readonly server: types.WebRtcServer;
  readonly pid: number;
  /** Share of one core over the last second, 0…1. */
  cpu: number;
  /** Consumers now, kept by the rooms. */
  consumers: number;
}

export interface Workers {
  /** The least used worker; waits up to a call's deadline for one being replaced. @throws MediaFault mediaDown */
  take(): Promise<MediaWorker>;
  readonly alive: readonly MediaWorker[];
  /** Refreshes every `cpu`. */
  measure(): Promise<void>;
  /** Resolves when no child is left. */
  stop(): Promise<void>;
}

export interface WorkersOptions {
  readonly rtcPort: number;
  readonly count: number;
  readonly announcedAddress?: string | undefined;
  readonly log: Log;
  /** A worker died; its routers are closed. Its replacement is under way. */
  readonly onDied: (worker: MediaWorker) => void;
  /** A worker could not be replaced: this process should be started anew. */
  readonly onFailed: (error: Error) => void;
}

const RETRY_MS = [0, 200, 500, 1000, 2000, 4000];
/** A worker that lived this long starts the delays from the first again. */
const HEALTHY_AFTER_MS = 30_000;
const STOP_MS = 2000;
const MEASURE_MS = 700;

/** Every address a browser may reach this machine at. */
const addresses = (): string[] => {
  const found = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((face) => face.family === "IPv4" && !face.internal)
    .map((face) => face.address);
  return [...new Set([...found, "127.0.0.1"])];
};

const listenInfos = (
  port: number,
  announcedAddress: string | undefined,
): types.TransportListenInfo[] => {
  const hosts =
    announcedAddress === undefined
      ? addresses().map((ip) => ({ ip }))
      : [{ ip: "0.0.0.0", announcedAddress }];
  return hosts.flatMap((host) =>
    (["udp", "tcp"] as const).map((protocol) => ({ protocol, port, ...host })),
  );
};

/** Waits for the child's end; a child that ignores SIGTERM is killed. */
const ended = async (worker: types.Worker): Promise<void> => {
  if (worker.subprocessClosed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  worker.once("subprocessclose", resolve);
  const timer = setTimeout(() => process.kill(worker.pid, "SIGKILL"), STOP_MS);
  worker.close();
  await promise;
  clearTimeout(timer);
};

const started = async (
  port: number,
  announcedAddress: string | undefined,
): Promise<MediaWorker> => {
  const worker = await called(
    createWorker({ logLevel: "error", rtcMinPort: 10_000, rtcMaxPort: 59_999 }),
    {
      what: "start worker",
      late: (late) => late.close(),
      deadlineMs: 10_000,
    },
  );
  try {
    const server = await called(
      worker.createWebRtcServer({ listenInfos: listenInfos(port, announcedAddress) }),
      { what: "listen" },
    );
    return { worker, server, pid: worker.pid, cpu: 0, consumers: 0 };
  } catch (error) {
    await ended(worker);
    if (error instanceof MediaFault && /address already in use/i.test(error.why))
      throw new PortTaken(port, error);
    throw error;
  }
};

/** @throws PortTaken, or MediaFault when a worker cannot be started */
export async function startWorkers({
  rtcPort,
  count,
  announcedAddress,
  log,
  onDied,
  onFailed,
}: WorkersOptions): Promise<Workers> {
  const slots: (MediaWorker | undefined)[] = Array.from({ length: count }, () => undefined);
  const waiting = new Set<() => void>();
  let stopped = false;
  const naps = new Set<() => void>();
  const spent = new WeakMap<MediaWorker, { ms: number; atMs: number }>();
  const replacing = new Set<Promise<void>>();

  const nap = async (ms: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    const wake = (): void => (clearTimeout(timer), resolve());
    naps.add(wake);
    await promise;
    naps.delete(wake);
  };

  const fill = async (slot: number): Promise<void> => {
    const made = await started(rtcPort + slot, announcedAddress);
    if (stopped) return ended(made.worker);
    slots[slot] = made;
    const bornAtMs = performance.now();
    log.info({ pid: made.pid, port: rtcPort + slot }, "media worker up");
    made.worker.once("died", (error) => {
      slots[slot] = undefined;
      if (stopped) return;
      log.error({ pid: made.pid, reason: error.message }, "media worker died");
      beginReplacing(slot, performance.now() - bornAtMs > HEALTHY_AFTER_MS);
      onDied(made);
    });
    for (const wake of waiting) wake();
  };
  const failures = slots.map(() => 0);
  const replace = async (slot: number, wasHealthy: boolean): Promise<void> => {
    if (wasHealthy) failures[slot] = 0;
    for (;;) {
      const delayMs = RETRY_MS[failures[slot] ?? 0];
      if (delayMs === undefined)
        return onFailed(new Error(`media worker ${slot} could not be replaced`));
      failures[slot] = (failures[slot] ?? 0) + 1;
      await nap(delayMs);
      if (stopped) return;
      try {
        return await fill(slot);
      } catch (error) {
        log.error({ slot, reason: String(error) }, "media worker not replaced yet");
      }
    }
  };

  const beginReplacing = (slot: number, wasHealthy: boolean): void => {
    const work = replace(slot, wasHealthy).finally(() => replacing.delete(work));
    replacing.add(work);
  };
  const alive = (): MediaWorker[] =>
    slots.filter((slot) => slot !== undefined && !slot.worker.closed) as MediaWorker[];
  const free = (): MediaWorker | undefined =>
    alive().toSorted((a, b) => a.consumers - b.consumers)[0];
  const stop = async (): Promise<void> => {
    stopped = true;
    for (const wake of naps) wake();
    await Promise.all(alive().map(({ worker }) => ended(worker)));
    await Promise.all(replacing);
  };
  const measureOne = async (one: MediaWorker): Promise<void> => {
    try {
      const use = await called(one.worker.getResourceUsage(), {
        what: "measure",
        deadlineMs: MEASURE_MS,
      });
      const ms = use.ru_utime + use.ru_stime;
      const atMs = performance.now();
      const before = spent.get(one);
      if (before !== undefined)
        one.cpu = Math.min(1, Math.max(0, (ms - before.ms) / (atMs - before.atMs)));
      spent.set(one, { ms, atMs });
    } catch (error) {
      // Too busy to say how busy, or gone.
      if (!(error instanceof MediaFault)) throw error;
      one.cpu = 1;
    }
  };
  const first = await Promise.allSettled(slots.map((_, slot) => fill(slot)));
  const failed = first.find((result) => result.status === "rejected");
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }

  return {
    get alive() {
      return alive();
    },
    async take() {
      if (free() === undefined && !stopped) {
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.add(resolve);
        await called(promise, { what: "wait for a worker" }).finally(() => waiting.delete(resolve));
      }
      const found = free();
      if (found === undefined) throw new MediaFault("mediaDown", "no worker");
      return found;
    },
    async measure() {
      await Promise.all(alive().map(measureOne));
    },
    stop,
  };
}

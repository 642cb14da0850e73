/**
 * How one simulated node reaches the store: every call takes time both ways, and may fail before or after it was carried out, or be
 * carried out twice, as a driver does that sends again. The log comes through the real log reader, late where the run says so.
 */
import type { Redis } from "ioredis";
import { showKeys } from "../../server/redis/keys.ts";
import { createLogReader, type LogEntry, type LogReader } from "../../server/room/log.ts";
import type { Chance } from "../helpers/chance.ts";
import { type Model, SHOW } from "./store.ts";
import type { Owner, Virtual } from "./virtual.ts";

export interface Weather {
  /** Until then every call fails. */
  outageUntilMs: number;
  /** Until then reads of the log come late. */
  lagUntilMs: number;
}

export interface Reach {
  /** Runs it at the store. */
  readonly call: <T>(what: string, run: () => T) => Promise<T>;
  readonly reader: LogReader;
}

/** As ioredis words it: server/redis/outage.ts knows these. */
const LOST = "Connection is closed.";

export function createReach(
  virtual: Virtual,
  chance: Chance,
  node: Owner,
  { model, appended, weather }: { model: Model; appended: Set<() => void>; weather: Weather },
): Reach {
  const store = virtual.owner("store");
  const isAway = (): boolean => virtual.nowMs < weather.outageUntilMs;
  const tripMs = (): number => 0.05 + chance() * 2;

  const call: Reach["call"] = (what, run) =>
    new Promise((resolve, reject) => {
      const fail = (): void => {
        virtual.after(tripMs(), node, `${what} failed`, () => reject(new Error(LOST)));
      };
      if (isAway()) return fail();
      virtual.after(tripMs(), store, what, () => {
        if (node.isDead || isAway()) return fail();
        let reply = run();
        if (chance.hits(0.01)) reply = run();
        // Carried out, and nobody is told.
        if (chance.hits(0.005) || isAway()) return fail();
        virtual.after(tripMs(), node, `${what} answered`, () => resolve(reply));
      });
    });

  const key = showKeys(SHOW).log;
  let unblock: (() => void) | undefined;
  const read = (afterId: string, most: number): Promise<unknown> =>
    new Promise((resolve, reject) => {
      let isOver = false;
      const end = (settle: () => void, lateMs: number, what: string): void => {
        if (isOver) return;
        isOver = true;
        appended.delete(look);
        stop();
        unblock = undefined;
        virtual.after(lateMs, node, what, settle);
      };
      const look = (): void => {
        const entries = model.after(afterId, most);
        if (entries.length === 0) return;
        const isLate = virtual.nowMs < weather.lagUntilMs;
        end(
          () => resolve([[Buffer.from(key), entries.map(toRaw)]]),
          isLate ? chance() * 1500 : tripMs(),
          "reads the log",
        );
      };
      const stop = virtual.after(2000, store, "a read blocked for long", () =>
        end(() => resolve(null), tripMs(), "reads nothing"),
      );
      if (isAway()) return end(() => reject(new Error(LOST)), tripMs(), "cannot read the log");
      unblock = () => end(() => resolve(null), tripMs(), "is woken up");
      appended.add(look);
      look();
    });

  const blocking = {
    on: () => blocking,
    client: () => call("client id", () => 1),
    disconnect: () => undefined,
    xreadBuffer: (...args: readonly (string | number)[]) =>
      read(String(args.at(-1)), Number(args[1])),
  };
  const command = {
    async client() {
      unblock?.();
    },
  };
  // The two commands that it needs of a Redis, and no more.
  const reader = createLogReader(blocking as unknown as Redis, command as unknown as Redis);
  return { call, reader };
}

const toRaw = ({ id, fields }: LogEntry): readonly [Buffer, readonly Buffer[]] => [
  Buffer.from(id),
  fields.flatMap(([field, bytes]) => [Buffer.from(field), bytes]),
];

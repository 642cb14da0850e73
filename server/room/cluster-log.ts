/**
 * The log reader of a node, whatever Redis it has. In a Cluster a read may not even name two slots of one server (CROSSSLOT), so
 * there each show has a connection of its own. When a slot moves, by resharding or by failover, its show goes on at the other server
 * after the last entry that was seen. Cost: one connection per open show of a Cluster; else one for all.
 */
import type { Redis } from "ioredis";
import { showKeys } from "../redis/keys.ts";
import { addressFor, isCluster } from "../redis/place.ts";
import { createLogReader, type LogEntry, type LogReader } from "./log.ts";

export interface LogReaderPorts {
  /** A connection of its own. */
  readonly blocking: Redis;
  readonly command: Redis;
  /** Makes a blocking connection to one server of the Cluster, `host:port`. */
  readonly connect: (address: string) => Redis;
}

export const openLogReader = (ports: LogReaderPorts): LogReader =>
  isCluster(ports.command)
    ? createClusterLogReader(ports)
    : createLogReader(ports.blocking, ports.command);

const LOOK_EVERY_MS = 500;

interface Following {
  readonly show: string;
  readonly onEntries: (entries: readonly LogEntry[]) => void;
  lastId: string;
  address: string;
  leave: () => Promise<void>;
}

function createClusterLogReader({ command, connect }: LogReaderPorts): LogReader {
  const all = new Set<Following>();

  /** Follows the show where its slot is now. */
  const settle = (following: Following): void => {
    const { show, onEntries } = following;
    const address = addressFor(command, showKeys(show).log);
    if (address === undefined || address === following.address) return;
    void following.leave();
    following.address = address;
    const connection = connect(address);
    // There is only ever one room to read for: nothing to wake up.
    const reader = createLogReader(connection, connection);
    let isHere = true;
    reader.follow(show, following.lastId, (entries) => {
      // A read that was under way when the show went elsewhere.
      if (!isHere) return;
      following.lastId = entries.at(-1)?.id ?? following.lastId;
      onEntries(entries);
    });
    following.leave = () => {
      isHere = false;
      return reader.stop();
    };
  };
  const looking = setInterval(() => all.forEach(settle), LOOK_EVERY_MS);

  return {
    follow(show, lastId, onEntries) {
      const following = { show, lastId, onEntries, address: "", leave: async () => undefined };
      all.add(following);
      settle(following);
      return () => {
        all.delete(following);
        void following.leave();
      };
    },
    async stop() {
      clearInterval(looking);
      await Promise.all([...all].map(({ leave }) => leave()));
      all.clear();
    },
  };
}

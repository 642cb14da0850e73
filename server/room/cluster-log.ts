/**
 * The log reader of a node, whatever Redis it has: with a Cluster one reader per server, each following the shows whose slots are
 * there, because a blocking read cannot cross servers. When a slot moves, by resharding or by failover, its shows go on at the
 * other server after the last entry that was seen. Cost: two connections per server that has a show of ours.
 */
import type { Redis } from "ioredis";
import { showKeys } from "../redis/keys.ts";
import { addressFor, isCluster } from "../redis/place.ts";
import { createLogReader, type LogEntry, type LogReader } from "./log.ts";

export interface LogReaderPorts {
  /** A connection of its own. */
  readonly blocking: Redis;
  readonly command: Redis;
  /** @param address `host:port` of one server of the Cluster */
  readonly connect: (address: string, purpose: "blocking" | "command") => Redis;
}

export const openLogReader = (ports: LogReaderPorts): LogReader =>
  isCluster(ports.command)
    ? createClusterLogReader(ports)
    : createLogReader(ports.blocking, ports.command);

const LOOK_EVERY_MS = 500;

interface Following {
  readonly show: string;
  lastId: string;
  readonly onEntries: (entries: readonly LogEntry[]) => void;
  address: string;
  unfollow: () => void;
}

function createClusterLogReader({ command, connect }: LogReaderPorts): LogReader {
  const readers = new Map<string, { readonly reader: LogReader; readonly command: Redis }>();
  const all = new Set<Following>();

  const readerAt = (address: string): LogReader => {
    let there = readers.get(address);
    if (there === undefined) {
      const own = connect(address, "command");
      there = { reader: createLogReader(connect(address, "blocking"), own), command: own };
      readers.set(address, there);
    }
    return there.reader;
  };
  /** Follows the show where its slot is now. */
  const settle = (following: Following): void => {
    const { show } = following;
    const address = addressFor(command, showKeys(show).log) ?? following.address;
    if (address === following.address) return;
    following.unfollow();
    following.address = address;
    let isHere = true;
    const unfollow = readerAt(address).follow(show, following.lastId, (entries) => {
      // A read that was under way when the show went elsewhere.
      if (!isHere) return;
      following.lastId = entries.at(-1)?.id ?? following.lastId;
      following.onEntries(entries);
    });
    following.unfollow = () => {
      isHere = false;
      unfollow();
    };
  };
  const looking = setInterval(() => all.forEach(settle), LOOK_EVERY_MS);

  return {
    follow(show, afterId, onEntries) {
      const none = (): void => undefined;
      const following = { show, lastId: afterId, onEntries, address: "", unfollow: none };
      all.add(following);
      settle(following);
      return () => {
        all.delete(following);
        following.unfollow();
      };
    },
    async stop() {
      clearInterval(looking);
      all.clear();
      await Promise.all([...readers.values()].map(({ reader }) => reader.stop()));
      for (const { command: own } of readers.values()) own.disconnect();
    },
  };
}

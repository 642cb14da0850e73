/**
 * Where a key lives: with one Redis always there, with a Cluster at the primary of the key's slot. For what goes by connection
 * and not by key: WAIT, blocking reads, INFO. A Cluster client passes for a `Redis` everywhere else: all commands of ours that
 * have several keys have them in one slot (`keys.ts`).
 */
import { Cluster, type Redis } from "ioredis";

const SLOTS = 16_384;

const asCluster = (redis: Redis): Cluster | undefined => {
  const client: unknown = redis;
  return client instanceof Cluster ? client : undefined;
};

export const isCluster = (redis: Redis): boolean => asCluster(redis) !== undefined;

/** The connection to the server that has this key; undefined while the Cluster does not say. */
export function connectionFor(redis: Redis, key: string): Redis | undefined {
  const cluster = asCluster(redis);
  if (cluster === undefined) return redis;
  const address = addressIn(cluster, key);
  return cluster.nodes("master").find((node) => addressOf(node) === address);
}

/** `host:port` of the server that has this key, for a connection of one's own; undefined while the Cluster does not say. */
export function addressFor(redis: Redis, key: string): string | undefined {
  const cluster = asCluster(redis);
  return cluster && addressIn(cluster, key);
}

/** All servers that take writes. */
export const primariesOf = (redis: Redis): readonly Redis[] =>
  asCluster(redis)?.nodes("master") ?? [redis];

const addressIn = (cluster: Cluster, key: string): string | undefined =>
  cluster.slots[slotOf(key)]?.[0];

const addressOf = ({ options }: Redis): string => `${options.host}:${options.port}`;

/** As redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec: CRC16 (XMODEM) of the hash tag, or of the whole key. */
export function slotOf(key: string): number {
  const from = key.indexOf("{");
  const to = key.indexOf("}", from + 1);
  const hashed = from >= 0 && to > from + 1 ? key.slice(from + 1, to) : key;
  let crc = 0;
  for (const byte of Buffer.from(hashed)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
    crc &= 0xffff;
  }
  return crc % SLOTS;
}

/**
 * One room's sockets on one gateway, spread over topics of at most `MAX_SHARD` sockets each, per feed and subprotocol. A frame is
 * encoded once, and every topic gets the same bytes. Joins go where there is most room; when so many have left that a topic fewer
 * would do, the smallest one is emptied into the others. Whoever changes topics misses nothing and hears nothing twice: what
 * waits for either topic goes out first. Cost per viewer: one subscription.
 */
import { type Encoding, ENCODINGS, type Frame, type Topic, type Turns } from "./turns.ts";

/**
 * How much of lane V somebody hears. `crew` (host, moderators, operators): up to 400 comments a second, none merged. `full`: what
 * viewers hear. `lite`: a few, every fourth tick. `core`: none, for who cannot keep up. All of them hear R, S and A.
 */
export type Feed = "crew" | "full" | "lite" | "core";
export const FEEDS: readonly Feed[] = ["full", "lite", "core", "crew"];

/** One connection, as far as hearing goes. */
export interface Listener {
  readonly json: boolean;
  /** Takes deflated frames. */
  readonly inflates?: boolean;
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  /** Kept here for the shards. */
  topic: Topic | undefined;
}

export interface Shards {
  /** To everybody, in order, ahead of all that goes out `later`. */
  readonly urgent: (bytes: Uint8Array, isAnswer?: boolean) => void;
  readonly later: (feed: Feed, bytes: Uint8Array) => void;
  /** What was to go out later is not all with the kernel yet. */
  readonly isFlushing: boolean;
  readonly isUrgentWaiting: boolean;
  /** Sockets on a feed. */
  readonly size: (feed: Feed) => number;
  readonly place: (listener: Listener, feed: Feed) => void;
  /** What waits for its topic goes out now. */
  readonly settle: (listener: Listener) => void;
  /** It is gone. */
  readonly remove: (listener: Listener) => void;
  /** Looks for topics to empty. @returns whether there are: then every listener is to be asked about with `isMisplaced` */
  tidy(): boolean;
  readonly isMisplaced: (listener: Listener) => boolean;
}

export interface ShardPorts {
  readonly room: string;
  readonly turns: Turns;
  readonly nowMs: () => number;
  /** How long it took to bring the last `later` frames to everybody, with whatever else the loop did in between. */
  readonly onFlushed: (tookMs: number) => void;
}

export const MAX_SHARD = 1500;
/** Topics are merged when the others would still be no fuller than this. */
const MERGED_AT_MOST = 0.8 * MAX_SHARD;

interface Group {
  readonly feed: Feed;
  readonly encoding: Encoding;
  readonly topics: Topic[];
}

const encodingOf = ({ json, inflates }: Listener): Encoding =>
  json ? "text" : inflates === true ? "deflated" : "packed";

export function createShards({ room, turns, nowMs, onFlushed }: ShardPorts): Shards {
  const groups: readonly Group[] = FEEDS.flatMap((feed) =>
    ENCODINGS.map((encoding) => ({ feed, encoding, topics: [] })),
  );
  const emptying = new Set<Topic>();
  let made = 0;
  let first = 0;
  let waiting = 0;
  let isFlushing = false;
  let startedMs = 0;

  const finish = (): void => {
    if (waiting > 0 || !isFlushing) return;
    isFlushing = false;
    onFlushed(nowMs() - startedMs);
  };
  const onLaterDone = (): void => {
    if (--waiting === 0) turns.afterTurn(finish);
  };
  const groupOf = (feed: Feed, encoding: Encoding): Group =>
    groups.find((group) => group.feed === feed && group.encoding === encoding) as Group;
  const roomiest = (topics: readonly Topic[]): Topic | undefined => {
    let best: Topic | undefined;
    for (const topic of topics)
      if (topic.size < (best?.size ?? MAX_SHARD) && !emptying.has(topic)) best = topic;
    return best;
  };
  const open = ({ feed, encoding, topics }: Group): Topic => {
    const name = `${room}/${feed}/${encoding}${++made}`;
    const topic = { name, encoding, size: 0, urgent: [], later: [], onLaterDone, turn: -1 };
    topics.push(topic);
    return topic;
  };
  const left = (topic: Topic): void => {
    if (--topic.size > 0) return;
    turns.settle(topic);
    emptying.delete(topic);
    for (const { topics } of groups) {
      const at = topics.indexOf(topic);
      if (at >= 0) topics.splice(at, 1);
    }
  };
  const remove = (listener: Listener): void => {
    const { topic } = listener;
    listener.topic = undefined;
    if (topic !== undefined) left(topic);
  };

  return {
    remove,
    urgent(bytes, isAnswer = false) {
      // It has no time to be deflated.
      const frame: Frame = { bytes, text: undefined, deflated: bytes };
      const topics = groups.flatMap((group) => group.topics);
      // Nobody is always the first to hear: each event begins with another topic.
      first++;
      for (let i = 0; i < topics.length; i++)
        turns.urgent(topics[(first + i) % topics.length] as Topic, frame, isAnswer);
    },
    later(feed, bytes) {
      const frame: Frame = { bytes, text: undefined, deflated: undefined };
      for (const group of groups) {
        if (group.feed !== feed) continue;
        for (const topic of group.topics) {
          if (!isFlushing) startedMs = nowMs();
          isFlushing = true;
          if (topic.later.length === 0) waiting++;
          turns.later(topic, frame);
        }
      }
    },
    get isFlushing() {
      return isFlushing;
    },
    get isUrgentWaiting() {
      return turns.isUrgentWaiting;
    },
    size: (feed) =>
      groups.reduce(
        (sum, group) =>
          group.feed === feed ? group.topics.reduce((n, { size }) => n + size, sum) : sum,
        0,
      ),
    place(listener, feed) {
      const group = groupOf(feed, encodingOf(listener));
      const to = roomiest(group.topics) ?? open(group);
      const from = listener.topic;
      if (from === to) return;
      if (from !== undefined) {
        turns.settle(from);
        listener.unsubscribe(from.name);
        remove(listener);
      }
      turns.settle(to);
      listener.subscribe(to.name);
      to.size++;
      listener.topic = to;
    },
    settle({ topic }) {
      if (topic !== undefined) turns.settle(topic);
    },
    tidy() {
      for (const { topics } of groups) {
        const all = topics.reduce((sum, { size }) => sum + size, 0);
        if (topics.length < 2 || all > (topics.length - 1) * MERGED_AT_MOST) continue;
        if (topics.some((topic) => emptying.has(topic))) continue;
        emptying.add(topics.reduce((least, topic) => (topic.size < least.size ? topic : least)));
      }
      return emptying.size > 0;
    },
    isMisplaced: ({ topic }) => topic !== undefined && emptying.has(topic),
  };
}

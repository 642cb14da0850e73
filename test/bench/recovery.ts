/**
 * The six ways in which recovery after a lost connection is known to fail, each with the report it was taken from, done alike to any
 * messaging system: the line of a client is cut, events are sent while it is away, it comes back, and what it has received is counted.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type FlakyLine, layLine } from "./flaky-line.ts";

/** One client of a system, behind a line of its own. */
export interface Client {
  /** Events in the order received, repeats too. */
  readonly received: readonly string[];
  /** One per time it came back: whether the system says that nothing was missed. */
  readonly recovered: readonly boolean[];
  /** Connected and in its room now. */
  readonly isIn: boolean;
  close(): Promise<void>;
}

/** Two nodes or more on one Redis. */
export interface MessagingSystem {
  readonly name: string;
  /** Ports of two nodes; the first may be killed. */
  readonly ports: readonly [number, number];
  /** @param port of the line that leads to a node */
  connect(port: number, room: string): Promise<Client>;
  /** Sends events to the room through the second node, in order. */
  send(room: string, events: readonly string[]): Promise<void>;
  /** SIGKILL. */
  killFirst(): void;
}

export interface Outcome {
  readonly failure: string;
  /** Events sent while the client was away, and what became of them. */
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly comebacks: number;
  /** Of those, how many the system called recovered. */
  readonly recovered: number;
}

interface Step {
  readonly system: MessagingSystem;
  readonly line: FlakyLine;
  readonly room: string;
  readonly client: Client;
  /** Sends so many more events, and waits until they are out. */
  readonly send: (count: number) => Promise<void>;
  /** Waits until the client has been back so often. */
  readonly back: (times: number) => Promise<void>;
}

export interface Failure {
  readonly name: string;
  /** Where it was reported. */
  readonly source: string;
  readonly run: (step: Step) => Promise<void>;
}

const BACK_WITHIN_MS = 20_000;
/** For what is still under way to arrive. */
const SETTLE_MS = 1000;
const AWAY_MS = 400;
const FAST_RECONNECTS = 5;
const LONG_AFTER_MS = 12_000;
/** More than the 10,000 entries that the Redis Streams adapter keeps for all rooms together. */
const OTHER_EVENTS = 12_000;
const BATCH = 500;

/** Away and back, with three events in between. */
async function away({ line, send, back, client }: Step): Promise<void> {
  const times = client.recovered.length + 1;
  line.cut();
  await send(3);
  await sleep(AWAY_MS);
  line.mend();
  await back(times);
  await sleep(SETTLE_MS);
}

export const FAILURES: readonly Failure[] = [
  {
    name: "fast reconnect",
    source: "socketio/socket.io-redis-streams-adapter#26",
    async run({ line, send, back }) {
      await send(1);
      for (let times = 1; times <= FAST_RECONNECTS; times++) {
        line.jolt();
        await send(3);
        await back(times);
        await sleep(SETTLE_MS / 2);
      }
    },
  },
  {
    name: "server death",
    source: "socketio/socket.io-redis-streams-adapter#27",
    async run({ system, line, send, back }) {
      await send(1);
      await sleep(AWAY_MS);
      line.leadTo(system.ports[1]);
      system.killFirst();
      await send(3);
      await back(1);
    },
  },
  {
    name: "disconnect later than 10 s after connecting",
    source: "socketio/socket.io-redis-streams-adapter#48",
    async run(step) {
      await step.send(1);
      await sleep(LONG_AFTER_MS);
      await away(step);
    },
  },
  {
    name: "second recovery",
    source: "socketio/socket.io#5419",
    async run(step) {
      await step.send(1);
      await sleep(AWAY_MS);
      await away(step);
      await away(step);
    },
  },
  {
    name: "idle connection",
    source: "socketio/socket.io#4733",
    async run(step) {
      await step.send(1);
      for (let sent = 0; sent < OTHER_EVENTS; sent += BATCH)
        await step.system.send(
          `${step.room}-other`,
          Array.from({ length: BATCH }, (_, i) => `other${sent + i}`),
        );
      // For the nodes to have read all that.
      await sleep(3 * SETTLE_MS);
      await away(step);
    },
  },
  {
    name: "no event before going offline",
    source: "socketio/socket.io-website#465",
    run: away,
  },
];

/** @throws when the client never came back at all */
export async function suffer(system: MessagingSystem, failure: Failure): Promise<Outcome> {
  const room = failure.name.replaceAll(" ", "-").slice(0, 30);
  const line = await layLine(system.ports[0]);
  const client = await system.connect(line.port, room);
  let sent = 0;
  const back = async (times: number): Promise<void> => {
    const giveUpMs = performance.now() + BACK_WITHIN_MS;
    while (client.recovered.length < times || !client.isIn) {
      if (performance.now() > giveUpMs)
        throw new Error(`${system.name}, ${failure.name}: the client did not come back`);
      await sleep(20);
    }
  };
  const send = async (count: number): Promise<void> => {
    const events = Array.from({ length: count }, () => `event${++sent}`);
    await system.send(room, events);
    if (sent > 1) return;
    // The first one is seen before anything is cut.
    for (let looks = 0; client.received.length === 0 && looks < 250; looks++) await sleep(20);
  };
  try {
    const here = client.received.length;
    await failure.run({ system, line, room, client, send, back });
    await sleep(SETTLE_MS);
    return outcomeOf(failure.name, sent, client, here);
  } finally {
    await client.close();
    await line.close();
  }
}

function outcomeOf(failure: string, sent: number, client: Client, here: number): Outcome {
  const received = client.received.slice(here);
  const distinct = new Set(received).size;
  return {
    failure,
    sent,
    received: distinct,
    lost: sent - distinct,
    duplicated: received.length - distinct,
    comebacks: client.recovered.length,
    recovered: client.recovered.filter(Boolean).length,
  };
}

/**
 * Deliveries per CPU-second of the server, for one 128-byte event at a time: the whole way of an event of lane R (Redis, log
 * reader, mirror, publish) in a real gateway, against `publish` of uWebSockets.js alone, a `send` loop of `ws`, a room `emit` of
 * Socket.IO and a publication of Centrifugo: as many bytes of payload, the same pace and the same receivers, which poll while they
 * are written to: waking a reader that sleeps would be counted as the server's work. Redis is in no row.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { FRAMES } from "#wire";
import { type NativeCrowd, startNativeCrowd } from "../../load/native/crowd.ts";
import { showKeys } from "../../server/redis/keys.ts";
import { type Bench, type BenchRun, owning } from "./bench.ts";
import { cpuSecondsOf, LOAD_CORES, pinPrefix } from "./machine.ts";
import { centrifugoIfAny, type Rival, SOCKET_IO, UWS, WS } from "./rivals.ts";
import { inTurns } from "./rounds.ts";
import type { Row } from "./rows.ts";
import type { ServerProcess } from "./server-process.ts";
import { openShow, startGatewayOn, startStore, type Store, viewerToken } from "./world.ts";

const EVENT_BYTES = 128;
const UNIT = "deliveries/cpu-s";

export const fanout: Bench = {
  name: "fanout",
  says: "one 128-byte event to every viewer: deliveries per server CPU-second",
  async run(run) {
    const sizes = run.quick ? [2000] : [2000, 5000];
    const rows: Row[] = [];
    const rivals = [UWS, WS, SOCKET_IO, ...(await centrifugoIfAny(!run.quick, run.say))];
    for (const viewers of sizes) rows.push(...(await measure(run, viewers, rivals)));
    return rows;
  },
};

const measure = (bench: BenchRun, viewers: number, rivals: readonly Rival[]): Promise<Row[]> =>
  owning(async (owns) => {
    const run = { ...bench, owns };
    const names = rivals.map(({ name }) => name).join(", ");
    run.say(`fanout: ${viewers} viewers each on Dropcast, ${names}`);
    const times = Math.round((run.quick ? 20_000 : 100_000) / viewers);
    const dropcast = await dropcastSubject(run, viewers);
    const event = await dropcast.newestEvent();
    const subjects: Record<string, Subject> = { event: dropcast };
    for (const rival of rivals) {
      const subject = await rivalSubject(run, viewers, rival);
      await subject.server.tell({ bytes: event });
      subjects[rival.row] = subject;
    }
    const measures = Object.entries(subjects).map(
      ([row, subject]) => [row, () => deliveriesPerCpuSecond(subject, viewers, times)] as const,
    );
    const perCpuSecond = await inTurns(
      run.quick || viewers > 2000 ? 3 : 5,
      Object.fromEntries(measures),
    );
    const controls = rivals.map(({ row }) => `${row}-${viewers}`);
    return Object.entries(perCpuSecond).map(([row, value]) => ({
      row: `${row}-${viewers}`,
      value,
      unit: UNIT,
      controls: row === "event" ? controls : [],
    }));
  });

interface Subject {
  readonly name: string;
  readonly server: ServerProcess;
  readonly crowd: NativeCrowd;
  /** One event to everybody. */
  publish(): Promise<void>;
  /** Events received so far over all viewers, and connections that ended: there should be none. */
  counts(): Promise<{ readonly events: number; readonly closes: number }>;
}

const ONE_EVENT_WITHIN_MS = 10_000;

/**
 * The next event goes out when everybody has the last one: a server that falls behind would write several at once, and look
 * better than it is.
 * @throws when one was not delivered: a figure of lost events would be none
 */
async function deliveriesPerCpuSecond(
  subject: Subject,
  viewers: number,
  times: number,
): Promise<number> {
  subject.crowd.spin(true);
  const cpuBefore = cpuSecondsOf(subject.server.pid);
  for (let i = 0; i < times; i++) await deliver(subject, viewers);
  const cpuSeconds = cpuSecondsOf(subject.server.pid) - cpuBefore;
  subject.crowd.spin(false);
  return (viewers * times) / cpuSeconds;
}

async function deliver(subject: Subject, viewers: number): Promise<void> {
  const { name } = subject;
  const wanted = (await subject.counts()).events + viewers;
  const giveUpMs = performance.now() + ONE_EVENT_WITHIN_MS;
  await subject.publish();
  for (;;) {
    const { events, closes } = await subject.counts();
    if (closes > 0) throw new Error(`${closes} viewers of ${name} lost their connection`);
    if (events === wanted) return;
    if (events > wanted || performance.now() > giveUpMs)
      throw new Error(`${name}: ${wanted - events} of ${viewers} deliveries are missing`);
    await sleep(2);
  }
}

async function dropcastSubject(
  run: BenchRun,
  viewers: number,
): Promise<Subject & { newestEvent(): Promise<string> }> {
  const show = "fanout";
  const store = await startStore();
  run.owns(store.stop);
  await openShow(store, show);
  const server = await startGatewayOn(store);
  run.owns(server.stop);
  const token = viewerToken(show);
  const tokens = await Promise.all(Array.from({ length: viewers }, (_, i) => token(i)));
  const prefix = pinPrefix(LOAD_CORES);
  const crowd = await startNativeCrowd({ port: server.port, show, tokens, prefix });
  run.owns(() => crowd.close());
  const subject: Subject = {
    name: "Dropcast",
    server,
    crowd,
    publish: () => change(store, show),
    async counts() {
      const { byOpcode, closes } = await crowd.counts();
      return { events: byOpcode[FRAMES.productChanged.opcode] ?? 0, closes };
    },
  };
  return {
    ...subject,
    async newestEvent() {
      await deliver(subject, viewers);
      const [newest] = await store.redis.xrevrangeBuffer(showKeys(show).log, "+", "-", "COUNT", 1);
      return newest?.[1][1]?.toString("base64") ?? "";
    },
  };
}

/** Each is a number of five bytes, so that every event has the same length. */
let stock = 70_000;
/** What the rest of a changed product's frame takes. */
const OTHER_BYTES = 28;

async function change({ shows }: Store, show: string): Promise<void> {
  const title = "x".repeat(EVENT_BYTES - OTHER_BYTES);
  await shows.putProduct(show, {
    sku: "cup",
    title,
    priceCents: 9900,
    stock: stock++,
    imageUrl: "",
    category: "cups",
  });
}

async function rivalSubject(run: BenchRun, viewers: number, rival: Rival): Promise<Subject> {
  const server = await rival.start(run.say);
  run.owns(server.stop);
  const crowd = await startNativeCrowd({
    port: server.port,
    path: rival.path,
    show: "",
    tokens: Array.from({ length: viewers }, () => ""),
    dialect: rival.dialect,
    prefix: pinPrefix(LOAD_CORES),
  });
  run.owns(() => crowd.close());
  return {
    name: rival.name,
    server,
    crowd,
    publish: () => server.tell("publish"),
    async counts() {
      const { frames, closes } = await crowd.counts();
      return { events: frames, closes };
    },
  };
}

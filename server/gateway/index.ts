/**
 * A gateway: one process that holds viewers' sockets, serves their rooms from the show logs, and carries their requests to
 * the inventory. Keeps nothing that another gateway could not rebuild: kill it, and its viewers resume elsewhere.
 */
import { LIMITS } from "#wire";
import type { RoleContext } from "../role.ts";
import { startRedisClock } from "../redis/clock.ts";
import { connectRedis, oneOf, whenReady } from "../redis/connect.ts";
import { openLogReader } from "../room/cluster-log.ts";
import { openShow } from "../room/open.ts";
import type { Room } from "../room/room.ts";
import { createRooms } from "../room/rooms.ts";
import { afterMoment, createTurns, nextLoopTurn } from "../room/turns.ts";
import { createRoomWrites } from "../room/writes.ts";
import { createBatches } from "../shop/batch.ts";
import { createFences } from "../shop/fence.ts";
import { createInventory } from "../shop/inventory.ts";
import { openJournal } from "../shop/journal.ts";
import { startRecovery } from "../shop/recovery.ts";
import { startSweeper } from "../shop/sweeper.ts";
import { createTokens } from "../tokens.ts";
import { createPasses } from "../passes.ts";
import { createProxies } from "../proxies.ts";
import { createAdmission } from "./admission.ts";
import { createCommands } from "./commands.ts";
import { createDoor } from "./door.ts";
import { drain } from "./drain.ts";
import { startFigures } from "./figures.ts";
import { createGreetings } from "./greetings.ts";
import { startHandOn } from "./hand-on.ts";
import { startMediaLink } from "./media-link.ts";
import { createRates } from "./rates.ts";
import { createRushWatch } from "./rush.ts";
import { Session, type SessionPorts } from "./session.ts";
import type { SocketServer } from "./socket.ts";
import { createTickets } from "./tickets.ts";
import { listen } from "./uws.ts";
import { createVelocity } from "./velocity.ts";

const SWEEP_EVERY_MS = 250;

const monotonicMs = (): number => performance.now();

export async function startGateway({ config, log, running }: RoleContext): Promise<void> {
  const node = config.nodeId;
  const redis = connectRedis(config.redisUrl, "command", log);
  // Purchases have a connection of their own: they never queue behind a room's reads.
  const buying = connectRedis(config.redisUrl, "command", log);
  const blocking = connectRedis(config.redisUrl, "blocking", log);
  const subscriber = connectRedis(config.redisUrl, "subscriber", log);
  // WAIT stands in the way of what comes after it on its connection.
  const waiting = connectRedis(config.redisUrl, "command", log);
  const connections = [redis, buying, blocking, subscriber, waiting];
  running.add({
    name: "redis connections",
    stop: async () => connections.forEach((connection) => connection.disconnect()),
  });
  await Promise.all([redis, buying, waiting].map((connection) => whenReady(connection)));

  const clock = await startRedisClock(redis);
  running.add({ name: "redis clock", stop: async () => clock.stop() });
  const reader = openLogReader({
    blocking,
    command: redis,
    connect: (address) => connectRedis(oneOf(config.redisUrl, address), "blocking", log),
  });
  running.add({ name: "log reader", stop: () => reader.stop() });

  const sessions = new Set<Session>();
  const counts: SessionPorts["counts"] & { bytesOut: number } = {
    framesIn: 0,
    framesOut: 0,
    bytesOut: 0,
    closes: {},
  };
  const inventory = createInventory(buying);
  const batches = createBatches(inventory.decide, { maxBatch: config.holdBatch });
  let sockets: SocketServer | undefined;

  const figures = startFigures({
    redis,
    node,
    redisNowMs: clock.now,
    gauges: () => ({
      viewers: sumOf((room) => room.viewers),
      viewersLite: sumOf((room) => room.heardBy("lite")),
      viewersCore: sumOf((room) => room.heardBy("core")),
      tickMs: [...rooms.all()].reduce((most, [, room]) => Math.max(most, room.tickMs), 0),
      connections: sessions.size,
      rooms: [...rooms.all()].length,
      ...counts,
      batches: batches.sent.batches,
      batchSizeMean: batches.sent.batches === 0 ? 0 : batches.sent.requests / batches.sent.batches,
    }),
  });
  running.add({ name: "figures", stop: () => figures.stop() });

  const turns = createTurns({
    publish({ name, size }, message) {
      sockets?.publish(name, message);
      counts.framesOut += size;
      counts.bytesOut += size * message.length;
    },
    nextTurn: nextLoopTurn,
    isRush: createRushWatch(
      () => ({
        holdsAsked: figures.holdsAsked,
        refusedHere: figures.refusedHere,
        waiting: batches.waiting,
      }),
      monotonicMs,
    ),
    afterMoment,
    nowMs: monotonicMs,
  });
  running.add({ name: "turns", stop: async () => turns.stop() });
  const { dataDir, replicas, replicaWaitMs: waitMs } = config;
  const journal = openJournal({ dataDir, node, nowMs: clock.now, log });
  running.add({
    name: "journal",
    async stop() {
      await journal.stop();
      journal.leave();
    },
  });
  const fences = createFences({ redis: waiting, node, replicas, waitMs, nowMs: clock.now });
  const rooms = createRooms({
    read: (show) => openShow(redis, show),
    reader,
    journal,
    reach: fences.reach,
    writes: createRoomWrites(redis),
    turns,
    node,
    tickMs: config.tickMs,
    nowMs: clock.now,
    chance: Math.random,
    onFannedOut: figures.fanoutTook,
  });
  running.add({ name: "rooms", stop: () => rooms.closeAll() });
  const sumOf = (figure: (room: Room) => number): number =>
    [...rooms.all()].reduce((sum, [, room]) => sum + figure(room), 0);
  // The control process sweeps too; with this one a drop opens, closes and expires on time without it.
  const shows = (): Iterable<string> => [...rooms.all()].map(([show]) => show);
  running.add(startSweeper({ inventory, shows, everyMs: SWEEP_EVERY_MS, log }));
  const guarded = (): Iterable<string> =>
    [...rooms.all()].filter(([, room]) => room.guard.isNeeded).map(([show]) => show);
  running.add(
    startRecovery({ redis, inventory, journal, node, shows: guarded, allShows: shows, log }),
  );

  const media = await startMediaLink({ redis, subscriber, node, redisNowMs: clock.now });
  running.add({ name: "media link", stop: async () => media.stop() });

  const tokens = createTokens(config.tokenSecret);
  const rates = createRates(monotonicMs, config.passesPerSecond);
  const door = createDoor({
    passes: createPasses(config.tokenSecret, config.proofBits),
    rates,
    velocity: createVelocity({ nowMs: monotonicMs, redisNowMs: clock.now }),
    figures,
    redisNowMs: clock.now,
  });
  const { maxViewers, newcomersPerSecond } = config;
  const admission = createAdmission({
    maxViewers,
    newcomersPerSecond,
    nowMs: monotonicMs,
    chance: Math.random,
  });
  // Sockets that have not said hello yet count too: they hold a file.
  const joined = (): number => sessions.size - 1;
  const greetings = createGreetings<Session>({
    withinMs: LIMITS.helloWithinMs,
    late: (session) => session.late(),
    nowMs: monotonicMs,
    later(fn, delayMs) {
      const timer = setTimeout(fn, delayMs);
      return () => clearTimeout(timer);
    },
  });
  running.add({ name: "greetings", stop: async () => greetings.stop() });
  const ports: SessionPorts = {
    verify: tokens.verify,
    tickets: createTickets(config.tokenSecret, clock.now),
    roomAt: rooms.at,
    openRoom: rooms.open,
    admit: (resuming) => admission.ask(resuming, joined()),
    waiting: () => admission.waiting,
    command: createCommands({
      batches,
      media,
      rates,
      door,
      figures,
      redisNowMs: clock.now,
      nowMs: monotonicMs,
      passed: (point) => {
        if (config.faultPoint === point) process.kill(process.pid, "SIGKILL");
      },
      log,
    }),
    ended(session) {
      sessions.delete(session);
      media.left(session);
    },
    greetings,
    counts,
    nowMs: monotonicMs,
  };
  const handOn = await startHandOn({
    redis,
    subscriber,
    node,
    take: (connection, body) => sockets?.takePosted(connection, body),
  });
  sockets = await listen({
    host: config.host,
    port: config.rtPort,
    streams: { node, handOn, nowMs: monotonicMs },
    addressOf: createProxies(config.trustProxy).addressOf,
    onOpened(socket) {
      const session = new Session(socket, ports);
      sessions.add(session);
      return session;
    },
  });
  const listening = sockets;
  running.add({
    name: "sockets",
    maxStopMs: config.drainMs + 3000,
    stop: () => drain(listening, sessions, config.drainMs),
  });
  log.info({ port: config.rtPort }, "gateway is listening");
}

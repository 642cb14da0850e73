/**
 * The control process: HTTP (API, pages, metrics), the sweeper, the cashier and the demo. Keeps nothing of its own: what it
 * is told is in Redis before it answers, so it can be killed at any moment, and several may run on one Redis.
 */
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { ledgerFolder } from "../ledger/files.ts";
import { openLedgerKey } from "../ledger/key.ts";
import { startRecorder } from "../comments/record.ts";
import { startTail, type Tail, type TailPorts } from "../ledger/tail.ts";
import { createEndpoints } from "../outbox/endpoints.ts";
import { DEFAULT_BACKOFF, POST_TIMEOUT_MS, startOutbox } from "../outbox/outbox.ts";
import { createPostman } from "../outbox/post.ts";
import { createOutboxStore } from "../outbox/store.ts";
import { openPayments } from "../payments/open.ts";
import { connectRedis, whenReady } from "../redis/connect.ts";
import { SHOWS_KEY } from "../redis/keys.ts";
import { Refusal } from "../refusal.ts";
import type { RoleContext } from "../role.ts";
import { createShows } from "../room/shows.ts";
import { startCashier } from "../shop/cashier.ts";
import { createLook } from "../shop/epochs.ts";
import { createFences, type Fences } from "../shop/fence.ts";
import { createInventory } from "../shop/inventory.ts";
import { startSweeper } from "../shop/sweeper.ts";
import { createTokens } from "../tokens.ts";
import { createAccess } from "./access.ts";
import { buildApp } from "./app.ts";
import { startDemo } from "./demo.ts";
import type { App, Desk } from "./desk.ts";
import { currencyOf } from "./reading.ts";
import { startReporting } from "./reporting.ts";
import { startShowList } from "./show-list.ts";

const SWEEP_EVERY_MS = 100;

/** Resolves when it answers. @returns the port it listens on @throws Refusal when it cannot listen there */
export async function startControl(context: RoleContext): Promise<{ readonly port: number }> {
  const { config, log, running } = context;
  const desk = await openDesk(context);
  const app = await buildApp(desk, ownVersion());
  running.add({ name: "http", stop: () => app.close() });
  if (config.demo) running.add(await startDemo(desk, log));
  const port = await listen(app, config.port, config.host);
  log.info({ port }, "http listens");
  return { port };
}

/** Everything behind the routes; each part is stopped with `running`, in reverse. */
async function openDesk(context: RoleContext): Promise<Desk> {
  const { config, log, running } = context;
  const redis = connectRedis(config.redisUrl, "command", log);
  running.add({ name: "redis", stop: async () => redis.disconnect() });
  const blocking = connectRedis(config.redisUrl, "blocking", log);
  running.add({ name: "redis for payments", stop: async () => blocking.disconnect() });
  await Promise.all([whenReady(redis), whenReady(blocking)]);

  const inventory = createInventory(redis);
  const tokens = createTokens(config.tokenSecret);
  const showList = await startShowList(redis, log);
  running.add(showList);
  const look = createLook(redis, config.nodeId);
  const fences = await openFences(context);
  const tail = await keepRecords(context, {
    shows: () => showList.awake,
    look,
    reach: fences.reach,
  });
  const sweeper = startSweeper({
    inventory,
    shows: () => showList.due,
    everyMs: SWEEP_EVERY_MS,
    log,
  });
  running.add(sweeper);
  const payments = openPayments({
    config,
    redis,
    inventory,
    onRefund: (show) => showList.wake(show),
  });
  running.add(payments);
  const cashier = startCashier({
    blocking,
    redis,
    inventory,
    adapter: payments.adapter,
    maxInFlight: payments.maxInFlight,
    consumer: config.nodeId,
    shows: () => showList.awake,
    currencyOf: (show) => currencyOf(redis, show),
    log,
    charged: () => {
      if (config.faultPoint === "charged") process.kill(process.pid, "SIGKILL");
    },
  });
  running.add(cashier);
  const outbox = startOutbox({
    store: createOutboxStore(redis, config.nodeId),
    endpoints: createEndpoints(redis),
    postman: createPostman({
      timeoutMs: POST_TIMEOUT_MS,
      nowS: () => Date.now() / 1000,
      allowsAll: config.webhookAllowPrivate,
    }),
    shows: () => showList.awake,
    allShows: () => redis.smembers(SHOWS_KEY),
    mayTell: async (show) => {
      const { word, epoch, isGuarded } = await look(show);
      return word !== "recovering" && (!isGuarded || fences.reach(show, epoch));
    },
    backoff: DEFAULT_BACKOFF,
    chance: Math.random,
    log,
  });
  running.add(outbox);
  const figures = () => ({
    sweeperLagMs: sweeper.lagMs,
    paymentsInFlight: cashier.inFlight,
    ledgersStuck: tail.stuck.size,
    ledgersWaiting: tail.waiting.size,
    ...outbox.figures(),
  });
  running.add(startReporting({ redis, node: config.nodeId, log, figures }));
  return {
    config,
    log,
    redis,
    shows: createShows(redis),
    inventory,
    tokens,
    access: createAccess(config.adminKey, tokens),
    showList,
    sweeper,
    cashier,
    payments,
    tail,
  };
}

/** On a connection of its own: WAIT stands in the way of what comes after it. */
async function openFences({ config, log, running }: RoleContext): Promise<Fences> {
  const redis = connectRedis(config.redisUrl, "command", log);
  running.add({ name: "redis for fences", stop: async () => redis.disconnect() });
  await whenReady(redis);
  const { replicas, replicaWaitMs: waitMs } = config;
  return createFences({ redis, node: undefined, replicas, waitMs, nowMs: Date.now });
}

/** On a connection of its own: long records must not stand in the way of a request. */
async function keepRecords(
  { config, log, running }: RoleContext,
  ports: Pick<TailPorts, "shows" | "look" | "reach">,
): Promise<Tail> {
  const redis = connectRedis(config.redisUrl, "command", log);
  running.add({ name: "redis for the records", stop: async () => redis.disconnect() });
  await whenReady(redis);
  const key = openLedgerKey(config.dataDir);
  const { dataDir, ledgerTrim: trims } = config;
  running.add(startRecorder({ redis, dataDir, shows: ports.shows, log }));
  const tail = startTail({ redis, folder: ledgerFolder(dataDir), key, log, trims, ...ports });
  running.add(tail);
  return tail;
}

async function listen(app: App, port: number, host: string): Promise<number> {
  // Under the supervisor, which has claimed the port: its next control process listens beside this one before this one ends.
  const reusePort = process.connected && process.platform === "linux";
  const options = { port, host, reusePort };
  try {
    await app.listen(options);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const remedy =
      code === "EADDRINUSE" ? "stop the program that has it, or set PORT" : "set PORT or HOST";
    throw new Refusal(`port ${port} cannot be used (${message}): ${remedy}`);
  }
  return (app.server.address() as AddressInfo).port;
}

const ownVersion = (): string => {
  const { version } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  ) as { version: string };
  return version;
};

/** A ledger tail in a process of its own that the test kills. Arguments: Redis, data folder, then the shows. */
import { pino } from "pino";
import { ledgerFolder } from "../../server/ledger/files.ts";
import { openLedgerKey } from "../../server/ledger/key.ts";
import { startTail } from "../../server/ledger/tail.ts";
import { connectRedis, whenReady } from "../../server/redis/connect.ts";
import { createLook } from "../../server/shop/epochs.ts";

const [url = "", dataDir = "", ...shows] = process.argv.slice(2);

const redis = connectRedis(url, "command");
await whenReady(redis);
startTail({
  redis,
  folder: ledgerFolder(dataDir),
  key: openLedgerKey(dataDir),
  look: createLook(redis, "tail"),
  reach: async () => true,
  shows: () => shows,
  log: pino({ level: "silent" }),
  everyMs: 1,
  limits: { maxSegmentBytes: 40_000, checkpointMovements: 100, checkpointMs: 50 },
});
process.stdout.write("tails\n");

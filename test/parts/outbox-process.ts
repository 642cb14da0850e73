/** An outbox in a process of its own that the test kills. Arguments: Redis, show. */
import { pino } from "pino";
import { createEndpoints } from "../../server/outbox/endpoints.ts";
import { startOutbox } from "../../server/outbox/outbox.ts";
import { createPostman } from "../../server/outbox/post.ts";
import { createOutboxStore } from "../../server/outbox/store.ts";
import { connectRedis, whenReady } from "../../server/redis/connect.ts";

const [url = "", show = ""] = process.argv.slice(2);
const redis = connectRedis(url, "command");
await whenReady(redis);
startOutbox({
  store: createOutboxStore(redis, "control-0"),
  endpoints: createEndpoints(redis),
  postman: createPostman({ timeoutMs: 300, nowS: () => Date.now() / 1000, allowsAll: false }),
  shows: () => [show],
  allShows: async () => [show],
  mayTell: async () => true,
  backoff: { firstMs: 20, longestMs: 150 },
  chance: Math.random,
  log: pino({ level: "silent" }),
});

/** Child process of the benches: a real gateway, alone, on the Redis of REDIS_URL. */
import { readConfig } from "../../server/config.ts";
import { startGateway } from "../../server/gateway/index.ts";
import { createRunning } from "../../server/lifecycle.ts";
import { createLog } from "../../server/log.ts";
import { serve } from "./server-process.ts";

const config = readConfig();
const { redisUrl = "", tokenSecret = "", nodeId = `bench-${process.pid}` } = config;
const running = createRunning(5000, (part, error) => console.error(`${part} did not stop`, error));
await startGateway({
  config: { ...config, redisUrl, tokenSecret, nodeId, adminKey: tokenSecret },
  log: createLog(config, "gateway"),
  running,
});
serve(
  config.rtPort,
  () => {
    throw new Error("a gateway publishes what the log says");
  },
  () => void running.stop().then(() => process.exit(0)),
);

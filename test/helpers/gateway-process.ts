/** Child process of tests: a real gateway, alone, that can be killed. See killable.ts. */
import { readConfig } from "../../server/config.ts";
import { startGateway } from "../../server/gateway/index.ts";
import { createRunning } from "../../server/lifecycle.ts";
import { createLog } from "../../server/log.ts";

const config = readConfig();
const { redisUrl = "", tokenSecret = "", nodeId = `node-${process.pid}` } = config;
const running = createRunning(5000, (part, error) => console.error(`${part} did not stop`, error));
await startGateway({
  config: { ...config, redisUrl, tokenSecret, nodeId, adminKey: tokenSecret },
  log: createLog(config, "gateway"),
  running,
});
process.send?.("ready");
// Ends with its parent.
process.on("disconnect", () => process.exit(0));

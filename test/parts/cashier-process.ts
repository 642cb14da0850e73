/**
 * A cashier in a process of its own that the test kills: the provider's memory is a file, as a real provider's is its own.
 * Arguments: Redis, show, file, and how often to be killed between the provider's answer and Redis (once or never).
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { pino } from "pino";
import { connectRedis, whenReady } from "../../server/redis/connect.ts";
import { type PaymentAdapter, startCashier } from "../../server/shop/cashier.ts";
import { createInventory } from "../../server/shop/inventory.ts";

const [url = "", show = "", file = "", kill = "never"] = process.argv.slice(2);

const adapter: PaymentAdapter = {
  async charge({ ref, cents }) {
    const known = existsSync(file) ? readFileSync(file, "utf8") : "";
    appendFileSync(
      file,
      known.includes(`charged ${ref} `) ? `asked again ${ref}\n` : `charged ${ref} ${cents}\n`,
    );
    return "paid";
  },
  async refund({ ref }) {
    appendFileSync(file, `refunded ${ref}\n`);
  },
};

const redis = connectRedis(url, "command");
await whenReady(redis);
startCashier({
  redis,
  blocking: connectRedis(url, "blocking"),
  inventory: createInventory(redis),
  adapter,
  consumer: "control-0",
  shows: () => [show],
  currencyOf: async () => "CNY",
  log: pino({ level: "silent" }),
  charged: () => {
    if (kill === "once") process.kill(process.pid, "SIGKILL");
  },
});

/** The entry: everything (`node server/main.ts`), or one role alone (`node server/main.ts gateway`). */
import { type Config, readConfig, variableHelp } from "./config.ts";
import { print } from "./log.ts";
import { Refusal } from "./refusal.ts";
import { ROLES, type Role } from "./role.ts";
import { runRole } from "./run-role.ts";
import { runSupervisor } from "./supervisor.ts";
import { holderOf } from "./supervisor/folder-lock.ts";

const help = (): string => `Dropcast: a self-hosted livestream commerce server

  npm start               everything on this machine: Redis, control, media, gateways, pages
  npm run gateway         one more gateway on the Redis of REDIS_URL, with the same ADMIN_KEY
  npm run media           the same for video
  npm run control         the same for pages, API and background work
  npm run deploy          replaces every gateway and control of the server that runs here with new ones, viewers staying
  npm run doctor          checks this machine and says what to do
  npm run verify          verifies the ledger of a show

Variables (empty counts as not set) [default]
${variableHelp()}
`;

const isRole = (word: string): word is Role => ROLES.some((role) => role === word);

function read(): Config {
  try {
    return readConfig();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    for (const problem of error.problems) print(`✗ ${problem}\n`);
    process.exit(1);
  }
}

function deploy({ dataDir }: Config): void {
  const pid = holderOf(dataDir);
  if (pid === undefined) {
    print(`✗ no server runs on ${dataDir}: start one with npm start, or set DATA_DIR\n`);
    process.exitCode = 1;
    return;
  }
  process.kill(pid, "SIGUSR2");
  print(`process ${pid} replaces its gateways and control now; its log says how it goes\n`);
}

const [command] = process.argv.slice(2);
if (command === "--help" || command === "-h" || command === "help") print(help());
else if (command === undefined) await runSupervisor(read());
else if (command === "deploy") deploy(read());
else if (isRole(command)) await runRole(command, read());
else {
  print(`✗ ${command} is no command of Dropcast\n\n${help()}`);
  process.exitCode = 1;
}

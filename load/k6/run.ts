/**
 * `npm run k6 -- SCENARIO [options]`: runs a k6 scenario of this folder against a Dropcast server: the one of BASE_URL, the one
 * that runs here, or one of its own. Exits as k6 does: 0 when every check and threshold held.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findServer, NoServer, type TargetServer } from "../server.ts";
import { NoProgram } from "../go-program.ts";
import { findK6 } from "./program.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
const scenarios = readdirSync(folder)
  .filter((file) => file.endsWith(".js"))
  .map((file) => basename(file, ".js"));

const help = `npm run k6 -- SCENARIO [options] [-- options of k6]

Scenarios: ${scenarios.join(", ")}

  --vus N      buyers (200)
  --units N    units in the drop (50)
  --rush-ms N  time within which all of them tap (1000)
  --p99-ms N   threshold: 99 % of the answers within this (2000)
  --json FILE  k6's summary as JSON

The server: BASE_URL with ADMIN_KEY (and RT_URL if it is not on the same host), else the one that runs here, else one of its
own with its data in a temporary folder. k6: from PATH, else built once into the cache folder.
`;

const say = (text: string): void => void process.stderr.write(`… ${text}\n`);

const OPTIONS = {
  vus: { type: "string", default: "200" },
  units: { type: "string", default: "50" },
  "rush-ms": { type: "string", default: "1000" },
  "p99-ms": { type: "string", default: "2000" },
  json: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** What a scenario reads, by its option. */
const VARIABLES = {
  vus: "VUS",
  units: "UNITS",
  "rush-ms": "RUSH_MS",
  "p99-ms": "HOLD_P99_MS",
} as const;

async function runK6(
  k6: string,
  scenario: string,
  args: readonly string[],
  server: TargetServer,
): Promise<number> {
  const child = spawn(k6, ["run", ...args, `${folder}${scenario}.js`], {
    // Not on the command line, where every user of the machine can read it.
    env: {
      ...process.env,
      BASE_URL: server.baseUrl,
      RT_URL: server.rtUrl,
      ADMIN_KEY: server.adminKey,
      K6_NO_USAGE_REPORT: "true",
    },
    stdio: "inherit",
  });
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.once("SIGINT", pass).once("SIGTERM", pass);
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}

async function main(): Promise<number> {
  const split = process.argv.indexOf("--", 2);
  const own = split < 0 ? process.argv.slice(2) : process.argv.slice(2, split);
  const k6Args = split < 0 ? [] : process.argv.slice(split + 1);
  const { values, positionals } = parseArgs({
    args: own,
    allowPositionals: true,
    options: OPTIONS,
  });
  const [scenario] = positionals;
  if (values.help === true || scenario === undefined) {
    process.stdout.write(help);
    return 0;
  }
  if (!existsSync(`${folder}${scenario}.js`)) {
    process.stderr.write(`✗ no scenario named ${scenario}: there are ${scenarios.join(", ")}\n`);
    return 1;
  }
  const settings = Object.entries(VARIABLES).flatMap(([option, name]) => [
    "-e",
    `${name}=${values[option as keyof typeof VARIABLES]}`,
  ]);
  const summary = values.json === undefined ? [] : ["--summary-export", values.json];
  try {
    const k6 = await findK6(say);
    const server = await findServer(say);
    say(`${scenario} with ${values.vus} buyers for ${values.units} units on ${server.baseUrl}`);
    try {
      return await runK6(k6, scenario, [...settings, ...summary, ...k6Args], server);
    } finally {
      await server.stop();
    }
  } catch (error) {
    if (!(error instanceof NoProgram || error instanceof NoServer)) throw error;
    process.stderr.write(`✗ ${error.message}\n`);
    return 1;
  }
}

process.exitCode = await main();

/**
 * `npm run bench [-- NAME …] [--json] [--quick]`: measures Dropcast beside control rows of the same run. No figure here is a
 * pass or a failure; the ratios are what carries over from one machine to another.
 */
import { parseArgs } from "node:util";
import { type Bench, owning } from "./bench.ts";
import { fanout } from "./fanout.ts";
import { flood } from "./flood.ts";
import { holds } from "./holds.ts";
import { isPinned, LOAD_CORES, pin } from "./machine.ts";
import { isolation } from "./isolation.ts";
import { likes } from "./likes.ts";
import { memory } from "./memory.ts";
import { rush } from "./rush.ts";
import { type Line, linesOf, tableOf } from "./rows.ts";
import { resume } from "./resume.ts";
import { stalled } from "./stalled.ts";
import { wire } from "./wire.ts";

const BENCHES: readonly Bench[] = [
  fanout,
  flood,
  isolation,
  stalled,
  resume,
  likes,
  holds,
  rush,
  wire,
  memory,
];

const help = (): string => `npm run bench -- [NAME …] [--json] [--quick]

${BENCHES.map(({ name, says }) => `  ${name.padEnd(8)} ${says}`).join("\n")}

  --json   one object per line: {bench, row, value, unit, control, ratio}; control null: a control row itself, or a figure without one
  --quick  fewer rounds, smaller crowds (under 15 s each)
  no NAME  all of them (about 12 minutes)

The server under test runs on core 0, the load on the others. Figures are medians of rounds taken by turns.
`;

function read(): {
  readonly names: readonly string[];
  readonly json: boolean;
  readonly quick: boolean;
  readonly help: boolean;
} {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean" },
      quick: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const { json = false, quick = false, help: asksHelp = false } = values;
  return { names: positionals, json, quick, help: asksHelp };
}

const say = (text: string): void => void process.stderr.write(`… ${text}\n`);

const runBench = (bench: Bench, quick: boolean): Promise<readonly Line[]> =>
  owning(async (owns) => linesOf(bench.name, await bench.run({ quick, say, owns })));

async function main(): Promise<number> {
  const { names, json, quick, ...asked } = read();
  if (asked.help) {
    process.stdout.write(help());
    return 0;
  }
  const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    process.stderr.write(
      `✗ no bench named ${unknown.join(", ")}: there are ${BENCHES.map((b) => b.name).join(", ")}\n`,
    );
    return 1;
  }
  // So that what benches leave behind is cleared away.
  process.once("SIGINT", () => process.exit(130)).once("SIGTERM", () => process.exit(143));
  pin(process.pid, LOAD_CORES);
  if (!isPinned)
    process.stderr.write(
      "… one core, or no taskset: server and load share the machine as the system likes\n",
    );
  for (const bench of BENCHES.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const lines = await runBench(bench, quick);
    if (json) for (const line of lines) process.stdout.write(`${JSON.stringify(line)}\n`);
    else process.stdout.write(`\n${bench.name}: ${bench.says}\n${tableOf(lines)}\n`);
  }
  return 0;
}

process.exitCode = await main();

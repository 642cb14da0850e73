/**
 * `npm run compare [-- --json]`: the six known ways in which Socket.IO's connection state recovery fails, done to Dropcast and to
 * Socket.IO with its Redis Streams adapter, side by side. About 40 s. Judges nothing: the table does.
 */
import { parseArgs } from "node:util";
import { type Owns, owning } from "./bench.ts";
import { startDropcast, startSocketIo } from "./messaging-systems.ts";
import { FAILURES, type MessagingSystem, type Outcome, suffer } from "./recovery.ts";

const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const say = (text: string): void => void process.stderr.write(`… ${text}\n`);

/** The failures side by side; the one that kills a node has nodes of its own. */
async function sufferAll(
  start: (owns: Owns) => Promise<MessagingSystem>,
): Promise<readonly (Outcome & { readonly system: string })[]> {
  return owning(async (owns) => {
    const shared = await start(owns);
    const doomed = await start(owns);
    say(`${shared.name}: ${FAILURES.length} failures`);
    return Promise.all(
      FAILURES.map(async (failure) => {
        const system = failure.name === "server death" ? doomed : shared;
        return { system: system.name, ...(await suffer(system, failure)) };
      }),
    );
  });
}

const HEADS = ["events sent", "received", "lost", "twice", "recovered"];

function tableOf(outcomes: readonly (Outcome & { readonly system: string })[]): string {
  const rows = FAILURES.flatMap(({ name, source }) =>
    outcomes
      .filter(({ failure }) => failure === name)
      .map((o, i) => [
        i === 0 ? name : `  ${source}`,
        o.system,
        ...[o.sent, o.received, o.lost, o.duplicated].map(String),
        `${o.recovered} of ${o.comebacks}`,
      ]),
  );
  const cells = [["failure", "system", ...HEADS], ...rows];
  const widths = cells[0]?.map((_, column) =>
    Math.max(...cells.map((row) => (row[column] as string).length)),
  );
  return cells
    .map((row) => row.map((cell, column) => cell.padEnd(widths?.[column] ?? 0)).join("  "))
    .join("\n");
}

// One system after the other: they would take each other's CPU time.
const outcomes = [...(await sufferAll(startDropcast)), ...(await sufferAll(startSocketIo))];
if (values.json) for (const outcome of outcomes) console.log(JSON.stringify(outcome));
else process.stdout.write(`\n${tableOf(outcomes)}\n`);

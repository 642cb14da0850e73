/**
 * `npm run doctor`: checks this machine and says what to do, one line per check. ✓ fine · ! works, but weaker than it
 * could be · ✗ does not work. Changes nothing; exits with 1 when something does not work.
 */
import { readConfig } from "./config.ts";
import { checkMachine } from "./doctor/machine.ts";
import { checkPorts } from "./doctor/ports.ts";
import { checkRedis } from "./doctor/redis.ts";
import type { Finding } from "./doctor/finding.ts";
import { print } from "./log.ts";
import { Refusal } from "./refusal.ts";

const SIGNS = { fine: "✓", weak: "!", broken: "✗" } as const;

async function examine(): Promise<readonly Finding[]> {
  try {
    const config = readConfig();
    return [
      { verdict: "fine", what: "settings are readable" },
      ...checkMachine(config),
      ...(await checkRedis(config)),
      ...(await checkPorts(config)),
    ];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.problems.map((what) => ({ verdict: "broken", what }));
  }
}

const findings = await examine();
for (const { verdict, what, remedy } of findings) {
  print(`${SIGNS[verdict]} ${what}${remedy === undefined ? "" : `\n    → ${remedy}`}\n`);
}
const broken = findings.filter(({ verdict }) => verdict === "broken").length;
print(
  broken === 0
    ? "\nDropcast can run here.\n"
    : `\n${broken} to mend before Dropcast can run here.\n`,
);
process.exitCode = broken === 0 ? 0 : 1;

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { isAlive } from "../../server/process-table.ts";
import { startRoleProcess } from "../../server/supervisor/role-process.ts";

const ready = `process.send({ ready: true, role: "gateway", pid: process.pid });`;
const stay = `setInterval(() => {}, 1000);`;

/** A role whose program is this text. */
const startRole = (program: string) => {
  const folder = mkdtempSync(join(tmpdir(), "dropcast-role-"));
  const main = join(folder, "main.mjs");
  writeFileSync(main, program);
  const starts: number[] = [];
  const givenUp = Promise.withResolvers<string>();
  const role = startRoleProcess({
    name: "gateway-0",
    role: "gateway",
    main,
    environment: (restarts) => {
      starts.push(restarts);
      return { RESTARTS: String(restarts) };
    },
    log: pino({ level: "silent" }),
    onGivenUp: givenUp.resolve,
  });
  onTestFinished(() => {
    role.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  return { role, starts, givenUp: givenUp.promise };
};

test("[PROC10] a role that refuses is given up at once: another try would end alike", async () => {
  const { givenUp, starts } = startRole(`process.exit(78);`);
  expect(await givenUp).toBe("gateway-0");
  expect(starts).toEqual([0]);
});

test("[PROC11] a role that never gets ready is given up after five tries", async () => {
  const { givenUp, starts } = startRole(`process.exit(1);`);
  await givenUp;
  expect(starts).toEqual([0, 1, 2, 3, 4]);
});

test("[PROC12] a role that was ready once is started again for ever, each start told its number", async () => {
  const { role, starts } = startRole(
    `${ready} if (process.env.RESTARTS < 3) process.exit(78); ${stay}`,
  );
  await role.ready;
  await expect.poll(() => starts, { timeout: 10_000 }).toEqual([0, 1, 2, 3]);
});

test("[PROC13] a role that does not heed SIGTERM is killed at its deadline", async () => {
  const { role } = startRole(`process.on("SIGTERM", () => {}); ${ready} ${stay}`);
  await role.ready;
  const pid = role.pid ?? 0;
  const askedAtMs = performance.now();
  await role.stop(300);
  expect(performance.now() - askedAtMs).toBeGreaterThanOrEqual(290);
  expect(isAlive(pid)).toBe(false);
});

test("[PROC14] a role that dies while it is being stopped stays down", async () => {
  const { role, starts } = startRole(
    `process.on("SIGTERM", () => process.exit(1)); ${ready} ${stay}`,
  );
  await role.ready;
  await role.stop(5000);
  expect(starts).toEqual([0]);
});

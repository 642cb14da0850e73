import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commentsFolder, everyComment, type Recorded } from "../../server/comments/files.ts";
import { startRecorder, unrecorded } from "../../server/comments/record.ts";
import { showKeys } from "../../server/redis/keys.ts";
import { createRoomWrites } from "../../server/room/writes.ts";
import { startWorld, until, type World } from "../helpers/rooms.ts";

let world: World;
let dataDir: string;
beforeAll(async () => {
  world = await startWorld();
  dataDir = mkdtempSync(join(tmpdir(), "dropcast-record-"));
});
afterAll(async () => {
  await world.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const recorderOf = (show: string) =>
  startRecorder({
    redis: world.store,
    dataDir,
    shows: () => [show],
    log: pino({ level: "silent" }),
  });

let seq = 0;
/** Says so many in batches of 100, one in seven for its author alone. @returns what was said, by number */
async function say(show: string, count: number): Promise<Map<number, string>> {
  const writes = createRoomWrites(world.store);
  const said = new Map<number, string>();
  for (let from = 0; from < count; from += 100) {
    const batch = Array.from({ length: Math.min(100, count - from) }, () => ({
      viewerId: "ann",
      client: "c",
      seq: ++seq,
      name: "安",
      role: "viewer" as const,
      text: `第 ${seq}`,
      isHidden: seq % 7 === 0,
    }));
    const numbers = await writes.comment(show, batch);
    numbers.forEach((no, i) => said.set(no, batch[i]?.text ?? ""));
  }
  return said;
}

async function everything(show: string): Promise<Recorded[]> {
  const rest = await unrecorded(world.store, show);
  const epoch = (await world.store.hget(showKeys(show).meta, "epoch")) ?? "";
  const all: Recorded[] = [];
  for await (const page of everyComment(commentsFolder(dataDir, show), epoch, rest))
    all.push(...page);
  return all;
}

test("[TALK1] every accepted comment is on record once and in order, also when the log has long forgotten it, hidden ones marked", async () => {
  const show = await world.show();
  const { log, comments } = showKeys(show);
  const early = await say(show, 1500);
  await world.store.xtrim(log, "MAXLEN", 1);
  // Nobody records yet: Redis holds it all.
  expect((await everything(show)).map(({ no, text }) => [no, text])).toEqual([...early]);
  const recorder = recorderOf(show);
  const late = await say(show, 500);
  await until(async () => (await world.store.xlen(comments)) === 0);
  const all = await everything(show);
  expect(all.map(({ no, text }) => [no, text])).toEqual([...early, ...late]);
  expect(all.filter(({ isHidden }) => isHidden)).toHaveLength(
    all.filter(({ text }) => Number(text.slice(2)) % 7 === 0).length,
  );
  expect(all.every(({ atMs, name }) => atMs > 1e12 && name === "安")).toBe(true);
  await recorder.stop();
});

test("[TALK2] a record goes on after a crash at any byte: nothing is lost, nothing is there twice", async () => {
  const show = await world.show();
  const { comments } = showKeys(show);
  const first = recorderOf(show);
  const early = await say(show, 300);
  await until(async () => (await world.store.xlen(comments)) === 0);
  await first.stop();
  // As a crash would leave it: some lines of the next batch, the last one cut short, and Redis not trimmed.
  const late = await say(show, 200);
  const folder = commentsFolder(dataDir, show);
  const [file = ""] = readdirSync(folder);
  const lines = (await unrecorded(world.store, show)).map((comment) => JSON.stringify(comment));
  appendFileSync(
    join(folder, file),
    `${lines.slice(0, 30).join("\n")}\n${lines[30]?.slice(0, 20)}`,
  );
  const second = recorderOf(show);
  await until(async () => (await world.store.xlen(comments)) === 0);
  expect((await everything(show)).map(({ no, text }) => [no, text])).toEqual([...early, ...late]);
  for (const line of readFileSync(join(folder, file), "utf8").trimEnd().split("\n"))
    expect(() => JSON.parse(line) as unknown).not.toThrow();
  // Another process waits for its turn.
  const third = recorderOf(show);
  await say(show, 50);
  await until(async () => (await world.store.xlen(comments)) === 0);
  await second.stop();
  const more = await say(show, 50);
  await until(async () => (await world.store.xlen(comments)) === 0);
  const all = await everything(show);
  expect(all).toHaveLength(600);
  expect(all.at(-1)?.text).toBe([...more.values()].at(-1));
  await third.stop();
});

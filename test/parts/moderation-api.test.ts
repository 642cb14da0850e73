/** Moderation over HTTP: rules, shadow bans, pinned comments, the audit log. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { showKeys } from "../../server/redis/keys.ts";
import { createRoomWrites } from "../../server/room/writes.ts";
import { type ControlWorld, idOf, refused, startControlWorld } from "../helpers/control.ts";

let world: ControlWorld;
beforeAll(async () => {
  world = await startControlWorld({ TOKENS_PER_SECOND: "1000" });
});
afterAll(() => world.stop());

const NONE = {
  slowModeMs: 0,
  blockedWords: [],
  maskedWords: [],
  links: "allow",
  newcomerMs: 0,
  roomPerSecond: 0,
};
const tokenOf = (path: string, role: "viewer" | "moderator" | "host"): Promise<string> =>
  world.tokens.sign({ show: idOf(path), viewerId: `a-${role}`, role, name: role });

test("[MOD17] rules are read back as they were set; what is left out goes back to none", async () => {
  const show = await world.show();
  expect((await world.call(`GET ${show}/moderation`)).body).toEqual(NONE);
  const rules = { slowModeMs: 3000, blockedWords: ["微信", " 微信 ", "spam*"], links: "hosts" };
  const set = await world.call(`PUT ${show}/moderation`, { body: rules });
  expect(set.status).toBe(200);
  const expected = { ...NONE, ...rules, blockedWords: ["微信", "spam*"] };
  expect(set.body).toEqual(expected);
  expect((await world.call(`GET ${show}/moderation`)).body).toEqual(expected);
  await world.call(`PUT ${show}/moderation`, { body: {} });
  expect((await world.call(`GET ${show}/moderation`)).body).toEqual(NONE);
  const many = Array.from({ length: 5000 }, (_, i) => `词${"很长".repeat(10)}${i}`);
  const big = await world.call(`PUT ${show}/moderation`, { body: { maskedWords: many } });
  expect(big.status).toBe(200);
});

test.each([
  [{ slowModeMs: -1 }, "slowModeMs"],
  [{ slowModeMs: 1.5 }, "slowModeMs"],
  [{ links: "some" }, "links"],
  [{ blockedWords: ["ok", "!!!"] }, "blockedWords.1"],
  [{ maskedWords: ["x".repeat(41)] }, "maskedWords.0"],
  [{ maskedWords: "x" }, "maskedWords"],
  [{ newcomerMs: 1e12 }, "newcomerMs"],
  [{ slowMode: 1 }, "slowMode"],
])("[MOD17] rules %j are refused with field %s and the reason", async (body, field) => {
  const show = await world.show();
  const error = refused(await world.call(`PUT ${show}/moderation`, { body }), 400, "wrongBody");
  expect(error.field).toBe(field);
  expect(error.reason).toMatch(/\w/);
});

test("[MOD17] shadow bans and pinned comments are set and taken back; unknown comments are refused", async () => {
  const show = await world.show();
  const ban = await world.call(`POST ${show}/shadow-bans`, { body: { viewerId: "eve" } });
  expect(ban.body).toEqual({ viewerIds: ["eve"] });
  expect((await world.call(`GET ${show}/shadow-bans`)).body).toEqual({ viewerIds: ["eve"] });
  expect((await world.call(`DELETE ${show}/shadow-bans/eve`)).status).toBe(204);
  expect((await world.call(`GET ${show}/shadow-bans`)).body).toEqual({ viewerIds: [] });
  const said = {
    viewerId: "ann",
    client: "c",
    name: "Ann",
    role: "viewer",
    isHidden: false,
  } as const;
  await createRoomWrites(world.store).comment(idOf(show), [
    { ...said, seq: 1, text: "hi" },
    { ...said, seq: 2, text: "hidden", isHidden: true },
  ]);
  expect((await world.call(`POST ${show}/comments/1/pin`)).status).toBe(204);
  const pinned = await world.store.get(showKeys(idOf(show)).pinnedComment);
  expect(JSON.parse(pinned ?? "")).toMatchObject({ no: 1, text: "hi", viewerId: "ann" });
  for (const no of [2, 3])
    refused(await world.call(`POST ${show}/comments/${no}/pin`), 404, "commentGone");
  expect((await world.call(`DELETE ${show}/comments/1/pin`)).status).toBe(204);
  expect(await world.store.get(showKeys(idOf(show)).pinnedComment)).toBeNull();
  refused(await world.call(`POST ${show}/comments/x/pin`), 400, "wrongBody");
});

test("[MOD18] moderators moderate, the host reads the audit log, viewers do neither", async () => {
  const show = await world.show();
  const [viewer, moderator, host] = await Promise.all([
    tokenOf(show, "viewer"),
    tokenOf(show, "moderator"),
    tokenOf(show, "host"),
  ]);
  for (const what of ["GET moderation", "PUT moderation", "POST shadow-bans", "GET audit"]) {
    const [method, path] = what.split(" ");
    refused(await world.call(`${method} ${show}/${path}`, { bearer: viewer }), 403, "notAllowed");
    refused(await world.call(`${method} ${show}/${path}`, { bearer: "" }), 401, "noToken");
  }
  await world.call(`POST ${show}/shadow-bans`, { bearer: moderator, body: { viewerId: "eve" } });
  await world.call(`POST ${show}/mutes`, {
    bearer: host,
    body: { viewerId: "eve", forMs: 60_000 },
  });
  await world.call(`PUT ${show}/moderation`, { body: { slowModeMs: 2000 } });
  await world.call(`DELETE ${show}/mutes/eve`, { bearer: moderator });
  refused(await world.call(`GET ${show}/audit`, { bearer: moderator }), 403, "notAllowed");
  const audit = await world.call(`GET ${show}/audit?most=3`, { bearer: host });
  const { entries } = audit.body as unknown as { entries: Record<string, string>[] };
  expect(entries.map(({ role, by, did, to }) => [role, by, did, to])).toEqual([
    ["moderator", "a-moderator", "unmute", "eve"],
    ["admin", "", "rules", ""],
    ["host", "a-host", "mute", "eve"],
  ]);
  const older = await world.call(`GET ${show}/audit?before=${entries[2]?.["id"]}`);
  expect(older.body).toMatchObject({ entries: [{ did: "shadowBan", by: "a-moderator" }] });
  refused(await world.call(`GET ${show}/audit?before=x`), 400, "wrongBody");
});

test("[MOD13] a viewer's later token says when the first one was made", async () => {
  const show = await world.show();
  const first = await world.call(`POST ${show}/tokens`, { bearer: "", body: { viewerId: "ann" } });
  const firstClaim = await world.tokens.verify(first.issued.token);
  await new Promise((resolve) => setTimeout(resolve, 30));
  const again = await world.call(`POST ${show}/tokens`, { bearer: first.issued.token, body: {} });
  expect(again.issued.viewerId).toBe("ann");
  expect((await world.tokens.verify(again.issued.token))?.sinceMs).toBe(firstClaim?.sinceMs);
  expect(Math.abs((firstClaim?.sinceMs ?? 0) - Date.now())).toBeLessThan(10_000);
});

test("[TALK3] the record is exported as NDJSON and CSV with what was hidden and deleted, for the host, not for viewers", async () => {
  const show = await world.show();
  const writes = createRoomWrites(world.store);
  const say = (seq: number, text: string, isHidden = false) =>
    writes.comment(idOf(show), [
      { viewerId: "ann", client: "c", seq, name: "安", role: "viewer", text, isHidden },
    ]);
  await say(1, "=1+1");
  await say(2, 'a "b", c');
  await say(3, "看不见", true);
  await world.call(`DELETE ${show}/comments/2`);
  const bearer = await tokenOf(show, "host");
  const told = await world.call(`GET ${show}/comments.ndjson`, { bearer });
  const lines = told.text.trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { no: 1, viewerId: "ann", text: "=1+1", isHidden: false, isDeleted: false },
    { no: 2, text: 'a "b", c', isHidden: false, isDeleted: true },
    { no: 3, text: "看不见", isHidden: true, isDeleted: false },
  ]);
  const csv = (await world.call(`GET ${show}/comments.csv`, { bearer })).text.split("\r\n");
  expect(csv[0]).toBe("no,atMs,viewerId,name,role,text,isHidden,isDeleted");
  // A spreadsheet must not take a comment for a formula.
  expect(csv[1]).toContain("'=1+1");
  expect(csv[2]).toContain('"a ""b"", c",0,1');
  const viewer = await tokenOf(show, "viewer");
  expect((await world.call(`GET ${show}/comments.csv`, { bearer: viewer })).status).toBe(403);
  expect((await world.call(`GET ${show}/comments.csv`, { bearer: "" })).status).toBe(401);
});

/** Join tokens: who gets one, as whom, and how many. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createBuckets, networkOf } from "../../server/control/bucket.ts";
import { showKeys } from "../../server/redis/keys.ts";
import {
  type Answer,
  type Issued,
  type ControlWorld,
  startControlWorld,
} from "../helpers/control.ts";

let world: ControlWorld;
let show: string;
let id: string;
beforeAll(async () => {
  world = await startControlWorld({ TOKENS_PER_SECOND: "5" });
  show = await world.show();
  id = show.split("/")[3] ?? "";
});
afterAll(() => world.stop());

const ask = (
  body: object,
  bearer?: string,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  world.call(`POST ${show}/tokens`, { body, headers, ...(bearer === undefined ? {} : { bearer }) });
const issued = (answer: Answer): Issued => {
  expect(answer.status, answer.text).toBe(201);
  return answer.issued;
};

test("[TOK1] anybody gets a viewer's token: an id of their own, a name in their language, for this show", async () => {
  const zh = issued(await ask({ role: "viewer" }, "", { "accept-language": "zh-CN,zh;q=0.9" }));
  const en = issued(await ask({ role: "viewer" }, "", { "accept-language": "en" }));
  expect(zh.name).toMatch(/^观众\d{4}$/);
  expect(en.name).toMatch(/^Guest \d{4}$/);
  expect(zh.viewerId).toMatch(/^[A-Za-z0-9_-]{8,40}$/);
  expect(zh.viewerId).not.toBe(en.viewerId);
  expect(await world.tokens.verify(zh.token)).toEqual({
    show: id,
    viewerId: zh.viewerId,
    role: "viewer",
    name: zh.name,
    sinceMs: expect.any(Number),
  });
  expect(zh.expiresAtMs).toBeGreaterThan(Date.now() + 3_600_000);
  expect(issued(await ask({ role: "viewer", name: "  小明  " }, "")).name).toBe("小明");
});

test("[TOK2] an id belongs to who named it first; its bearer may renew it, nobody else", async () => {
  const ann = issued(await ask({ role: "viewer", viewerId: "ann" }, ""));
  expect(ann.viewerId).toBe("ann");
  const taken = await ask({ role: "viewer", viewerId: "ann" }, "");
  expect(taken.status).toBe(409);
  expect(taken.body.error).toMatchObject({ code: "viewerIdTaken", field: "viewerId" });
  expect(issued(await ask({ role: "viewer", viewerId: "ann" }, ann.token)).viewerId).toBe("ann");
  expect(issued(await ask({ role: "viewer" }, ann.token)).viewerId).toBe("ann");
  const bob = issued(await ask({ role: "viewer", viewerId: "bob" }, ""));
  expect((await ask({ role: "viewer", viewerId: "ann" }, bob.token)).status).toBe(409);
  // A token of another show gives no right to an id here.
  const elsewhere = await world.tokens.sign({
    show: "elsewhere",
    viewerId: "ann",
    role: "viewer",
    name: "ann",
  });
  expect((await ask({ role: "viewer", viewerId: "ann" }, elsewhere)).status).toBe(409);
  expect(await world.store.sismember(showKeys(id).claimed, "ann")).toBe(1);
});

test("[TOK3] other roles: from the admin any, from a host of this show viewers and moderators, else none", async () => {
  for (const role of ["moderator", "host", "operator", "viewer"])
    expect(issued(await ask({ role, viewerId: "ann" })).role).toBe(role);
  expect(await world.tokens.verify(issued(await ask({ role: "operator" })).token)).toMatchObject({
    show: "*",
    role: "operator",
  });
  const host = issued(await ask({ role: "host" })).token;
  expect(issued(await ask({ role: "moderator", viewerId: "mod" }, host)).role).toBe("moderator");
  expect(issued(await ask({ role: "viewer", viewerId: "ann" }, host)).viewerId).toBe("ann");
  for (const role of ["host", "operator"]) expect((await ask({ role }, host)).status).toBe(403);
  for (const role of ["moderator", "host", "operator"])
    expect((await ask({ role }, "")).status).toBe(401);
  const elsewhere = await world.tokens.sign({
    show: "elsewhere",
    viewerId: "h",
    role: "host",
    name: "h",
  });
  expect((await ask({ role: "moderator" }, elsewhere)).status).toBe(403);
  expect((await ask({ role: "viewer" }, "forged")).status).toBe(401);
});

test("[TOK4] too many from one address wait, and are told for how long; the admin does not", async () => {
  const answers = await Promise.all(Array.from({ length: 60 }, () => ask({ role: "viewer" }, "")));
  const refused = answers.filter((answer) => answer.status === 429);
  expect(answers.filter((answer) => answer.status === 201).length).toBeLessThanOrEqual(30 + 5);
  expect(refused.length).toBeGreaterThan(20);
  expect(Number(refused[0]?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  expect(refused[0]?.body.error).toMatchObject({ code: "tooFast" });
  expect(refused[0]?.text).toMatch(/秒后重试/);
  expect((await ask({ role: "viewer" })).status).toBe(201);
});

test("[TOK4] a bucket refills with time, one for each network", () => {
  let nowMs = 0;
  const buckets = createBuckets(2, 4, () => nowMs);
  const takes = (address: string, n: number): number[] =>
    Array.from({ length: n }, () => buckets.take(address));
  expect(takes("10.0.0.1", 5)).toEqual([0, 0, 0, 0, 500]);
  expect(takes("10.0.0.2", 1)).toEqual([0]);
  nowMs = 499;
  expect(buckets.take("10.0.0.1")).toBe(1);
  nowMs = 500;
  expect(buckets.take("10.0.0.1")).toBe(0);
  nowMs = 1e6;
  expect(takes("10.0.0.1", 5)).toEqual([0, 0, 0, 0, 500]);
});

test.each([
  ["10.1.2.3", "10.1.2.3"],
  ["::ffff:10.1.2.3", "10.1.2.3"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8:1:2::9", "2001:db8:1:2"],
  ["2001:db8::1", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
])("[TOK4] %s counts as %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

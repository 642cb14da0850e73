import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../helpers/rooms.ts";
import { startServer, type WholeServer } from "../helpers/server.ts";
import { type BackEnd, backEndOf } from "../helpers/back-end.ts";

let server: WholeServer;
let shop: BackEnd;
beforeAll(async () => {
  server = await startServer({
    env: { GATEWAYS: "1", MEDIA_WORKERS: "0", FAULT_POINT: "holdDecided" },
  });
  shop = backEndOf(server);
});
afterAll(async () => {
  shop.close();
  await server.stop();
});

const movements = async (show: string, kind: string): Promise<number> => {
  const response = await fetch(`${server.httpUrl}/v1/shows/${show}/ledger`, {
    headers: { authorization: `Bearer ${server.adminKey}` },
  });
  const lines = (await response.text()).trim().split("\n");
  return lines.filter((line) => (JSON.parse(line) as { kind: string }).kind === kind).length;
};

test("[FAULT5][I3][F2][F11] a gateway is killed between Redis's decision and the reply: the same key gets the same hold, one ledger entry", async () => {
  const show = await shop.show(10);
  const dropId = await shop.drop(show, { allotment: 5 });
  const ann = await shop.join(show, "ann");
  const firstPid = server.pidOf("gateway-0");
  const breaks: string[] = [];
  ann.on("connectionChanged", ({ connection }) => breaks.push(connection));
  const startedMs = performance.now();
  const answer = await ann.hold(dropId, { key: "the-key" });
  expect(answer).toMatchObject({ result: "held", holdId: "the-key" });
  // The log may have told it before the gateway died: on the other side of the break it is the same hold.
  await until(() => breaks.length === 2);
  expect(performance.now() - startedMs).toBeLessThan(10_000);
  expect(breaks).toEqual(["waiting", "live"]);
  expect(server.pidOf("gateway-0")).not.toBe(firstPid);
  expect(await ann.hold(dropId, { key: "the-key" })).toEqual(answer);
  expect(await movements(show, "held")).toBe(1);
  expect(await shop.call("GET", `/v1/shows/${show}/drops/${dropId}`)).toMatchObject({
    available: 4,
    held: 1,
  });
}, 60_000);

test("[FAULT6][F7] control is killed while a payment is under way: it settles once, after the restart", async () => {
  const show = await shop.show(10);
  const dropId = await shop.drop(show, { allotment: 5 });
  const ann = await shop.join(show, "ann");
  const hold = await ann.hold(dropId);
  if (hold.result !== "held") throw new Error(hold.result);
  const paying = ann.pay(hold.holdId);
  await until(() => ann.state.orders.get(hold.holdId)?.state === "paying");
  process.kill(server.pidOf("control-0"), "SIGKILL");
  expect(await paying).toMatchObject({ result: "sold" });
  expect(await ann.pay(hold.holdId)).toEqual(await paying);
  await until(async () => (await fetch(`${server.httpUrl}/healthz`).catch(() => undefined))?.ok);
  expect(await movements(show, "sold")).toBe(1);
}, 60_000);

test("[FAULT7][F7] Redis is killed under the whole server: it comes back with every acknowledged hold", async () => {
  const show = await shop.show(50);
  const dropId = await shop.drop(show, { allotment: 50, perBuyerLimit: 50 });
  const ann = await shop.join(show, "ann");
  const before = [];
  for (let i = 0; i < 5; i++) before.push(await ann.hold(dropId, { key: `before${i}` }));
  process.kill(server.pidOf("redis"), "SIGKILL");
  const during = await Promise.all(["d1", "d2", "d3"].map((key) => ann.hold(dropId, { key })));
  expect([...before, ...during].map((a) => a.result)).toEqual(
    Array.from({ length: 8 }, () => "held"),
  );
  for (let i = 0; i < 5; i++)
    expect(await ann.hold(dropId, { key: `before${i}` })).toEqual(before[i]);
  await until(async () => {
    const drop = await shop
      .call<{ available: number; held: number }>("GET", `/v1/shows/${show}/drops/${dropId}`)
      .catch(() => undefined);
    return drop?.available === 42 && drop.held === 8;
  }, 10_000);
}, 60_000);

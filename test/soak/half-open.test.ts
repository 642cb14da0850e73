/** Half-open connections, in real time: the other end has gone without a word. */
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LIMITS, toArray } from "#wire";
import { type Gateway, startWorld, until, type World } from "../helpers/rooms.ts";

let world: World;
let gateway: Gateway;
beforeAll(async () => {
  world = await startWorld();
  gateway = await world.gateway();
});
afterAll(() => world.stop());

const SLACK_MS = 20_000;

test("[HALF1] viewers who fell silent without a close are gone after maxSilenceMs, on a socket and on a stream", async () => {
  const show = await world.show();
  const watcher = await world.join(gateway, show, "watcher");
  const port = Number(new URL(gateway.url).port);
  const hello = async (viewerId: string): Promise<string> => {
    const token = await world.tokens.sign({ show, viewerId, role: "viewer", name: "" });
    return JSON.stringify(toArray("hello", { token, show, client: "c", epoch: "", offset: 0 }));
  };
  // Sockets that will never say anything again, not even goodbye.
  const stream = connect(port, "127.0.0.1");
  const body = await hello("stream");
  stream.write(
    `POST /v1/sse HTTP/1.1\r\nhost: x\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  stream.resume();
  const socket = new WebSocket(`${gateway.url}/v1/rt`, "dropcast.v1.json");
  socket.addEventListener("open", () => void hello("socket").then((text) => socket.send(text)));
  await until(() => watcher.state.viewers === 3, 10_000);
  const startedMs = performance.now();
  await until(() => watcher.state.viewers === 1, LIMITS.maxSilenceMs + SLACK_MS);
  expect(performance.now() - startedMs).toBeGreaterThan(LIMITS.maxSilenceMs / 2);
  stream.destroy();
}, 120_000);

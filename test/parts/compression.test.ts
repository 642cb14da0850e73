/** Compression on real sockets: in the application, once per tick; never by the WebSocket library. */
import { WebSocket as WsSocket } from "ws";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DEFLATED, RT_PATH, SUBPROTOCOLS } from "#wire";
import { createRoomWrites } from "../../server/room/writes.ts";
import { createChatter } from "../bench/chatter.ts";
import { type Gateway, startWorld, type World } from "../helpers/rooms.ts";

let world: World;
let gateway: Gateway;
beforeAll(async () => {
  world = await startWorld();
  gateway = await world.gateway();
});
afterAll(() => world.stop());

interface Heard {
  bytes: number;
  deflated: number;
  protocol: string;
}

/** A WebSocket that counts what comes, and offers no more than it is told. */
function counting(heard: Heard, offers: (all: string[]) => string[]): typeof WebSocket {
  return class extends WebSocket {
    constructor(url: string | URL, protocols: string | string[] = []) {
      super(url, offers([protocols].flat()));
      this.addEventListener("open", () => {
        heard.protocol = this.protocol;
      });
      this.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) => {
        heard.bytes += typeof data === "string" ? data.length : data.byteLength;
        if (typeof data !== "string" && new Uint8Array(data)[0] === DEFLATED) heard.deflated++;
      });
    }
  };
}

test("[DEFLATE5] who can inflate gets large ticks deflated, who cannot the same comments plain, and text has no difference", async () => {
  const show = await world.show();
  const all = { bytes: 0, deflated: 0, protocol: "" };
  const plain = { bytes: 0, deflated: 0, protocol: "" };
  const text = { bytes: 0, deflated: 0, protocol: "" };
  const lives = await Promise.all([
    world.join(gateway, show, "a", { WebSocket: counting(all, (offered) => offered) }),
    world.join(gateway, show, "b", { WebSocket: counting(plain, () => [SUBPROTOCOLS[0]]) }),
    world.join(gateway, show, "c", {
      WebSocket: counting(text, (offered) => offered),
      protocol: "json",
    }),
  ]);
  expect([all, plain, text].map(({ protocol }) => protocol)).toEqual([
    SUBPROTOCOLS[2],
    SUBPROTOCOLS[0],
    SUBPROTOCOLS[1],
  ]);
  const shown = lives.map((live) => {
    const comments: string[] = [];
    live.on("commented", (fresh) => comments.push(...fresh.map((c) => `${c.no} ${c.text}`)));
    return comments;
  });
  const writes = createRoomWrites(world.store);
  const chatter = createChatter();
  for (let n = 1; n <= 3; n++) {
    await writes.comment(show, chatter(20));
    await expect.poll(() => shown.every(({ length }) => length === 20 * n)).toBe(true);
  }
  expect(shown[1]).toEqual(shown[0]);
  expect(shown[2]).toEqual(shown[0]);
  expect(all.deflated).toBeGreaterThan(0);
  expect(plain.deflated + text.deflated).toBe(0);
  expect(all.bytes).toBeLessThan(plain.bytes);
});

test("[DEFLATE6] permessage-deflate is not taken, whoever offers it", async () => {
  const socket = new WsSocket(gateway.url + RT_PATH, [...SUBPROTOCOLS], {
    perMessageDeflate: true,
  });
  const extensions = await new Promise<string | undefined>((resolve, reject) => {
    socket.on("upgrade", ({ headers }) => resolve(headers["sec-websocket-extensions"] ?? ""));
    socket.on("error", reject);
  });
  socket.terminate();
  expect(extensions).toBe("");
});

/**
 * A room that talks all the time: 20 comments a tick, to 10,000 viewers. Comments delivered per CPU-second of the server, the whole
 * way from the room's log (read, merge, sample, receipt, publish), against a plain publish of the very same frames at the same
 * pace; and what a comment takes on the wire, packed, as JSON, and deflated as it is for clients that can inflate. The comments come from another node, as most do when there are several.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { encodeUp, decodeDown, SUBPROTOCOLS, RT_PATH } from "#wire";
import { textOf } from "#wire/server";
import { WebSocket } from "ws";
import { type RoomWrites, createRoomWrites } from "../../server/room/writes.ts";
import { deflated } from "../../server/room/deflating.ts";
import type { Bench, BenchRun } from "./bench.ts";
import { createChatter } from "./chatter.ts";
import { cpuSecondsOf } from "./machine.ts";
import { inTurns } from "./rounds.ts";
import type { Row } from "./rows.ts";
import type { ServerProcess } from "./server-process.ts";
import { joined, viewerToken, watched } from "./world.ts";
import { UWS } from "./rivals.ts";

const SHOW = "flood";
const COMMENTS_PER_TICK = 20;
const LEAST_SHOWN = 0.99;
/** Not above the 200 comments per second that a viewer is shown: more would be sampled. */
const TICK_EVERY_MS = 120;
const TICK_WITHIN_MS = 20_000;
const UNIT = "comments/cpu-s";
/** RFC 6455: of a message from 126 bytes on. */
const WEBSOCKET_HEAD_BYTES = 4;

export const flood: Bench = {
  name: "flood",
  says: "20 comments a tick to everybody: comment deliveries per server CPU-second, and bytes per comment",
  async run(run) {
    const viewers = run.quick ? 2000 : 10_000;
    run.say(`flood: ${viewers} viewers each on Dropcast and uWebSockets.js`);
    const dropcast = await dropcastRoom(run, viewers);
    const frame = await dropcast.nextFrame();
    const uws = await uwsRoom(run, viewers, frame);
    const small = deflated(frame);
    const uwsDeflated = await uwsRoom(run, viewers, small);
    const ticks = run.quick ? 6 : 12;
    const rates = await inTurns(run.quick ? 2 : 4, {
      dropcast: () => commentsPerCpuSecond(dropcast, ticks),
      uws: () => commentsPerCpuSecond(uws, ticks),
      uwsDeflated: () => commentsPerCpuSecond(uwsDeflated, ticks),
    });
    dropcast.checkShown();
    const rows: readonly Row[] = [
      {
        row: `comments-${viewers}`,
        value: rates.dropcast,
        unit: UNIT,
        controls: [`uws-publish-${viewers}`],
      },
      {
        row: `uws-publish-deflated-${viewers}`,
        value: rates.uwsDeflated,
        unit: UNIT,
        controls: [`uws-publish-${viewers}`],
      },
      { row: `uws-publish-${viewers}`, value: rates.uws, unit: UNIT, controls: [] },
      {
        row: "bytes-per-comment-deflated",
        value: perComment(small.length),
        unit: "bytes",
        controls: ["bytes-per-comment", "bytes-per-comment-json"],
      },
      {
        row: "bytes-per-comment",
        value: perComment(frame.length),
        unit: "bytes",
        controls: ["bytes-per-comment-json"],
      },
      {
        row: "bytes-per-comment-json",
        value: perComment(Buffer.byteLength(textOf(frame))),
        unit: "bytes",
        controls: [],
      },
    ];
    return rows;
  },
};

const perComment = (frameBytes: number): number =>
  (frameBytes + WEBSOCKET_HEAD_BYTES) / COMMENTS_PER_TICK;

/** A server with its audience. */
interface Room {
  readonly viewers: number;
  readonly server: ServerProcess;
  /** One tick's comments to everybody. */
  tick(): Promise<void>;
  /** Messages of comments received so far over all viewers. */
  frames(): Promise<number>;
}

/** The next tick goes out when everybody has the last one. @throws when it was not delivered to all, or in more than one frame */
async function commentsPerCpuSecond(room: Room, ticks: number): Promise<number> {
  const { server, viewers } = room;
  const cpuBefore = cpuSecondsOf(server.pid);
  for (let i = 0; i < ticks; i++) {
    const wanted = (await room.frames()) + viewers;
    const giveUpMs = performance.now() + TICK_WITHIN_MS;
    const rhythm = sleep(TICK_EVERY_MS);
    await room.tick();
    for (let frames = 0; frames !== wanted; frames = await room.frames()) {
      if (frames > wanted || performance.now() > giveUpMs)
        throw new Error(`${wanted - frames} of ${viewers} viewers did not get their tick`);
      await sleep(5);
    }
    await rhythm;
  }
  return (viewers * ticks * COMMENTS_PER_TICK) / (cpuSecondsOf(server.pid) - cpuBefore);
}

async function dropcastRoom(
  run: BenchRun,
  viewers: number,
): Promise<
  Room & {
    nextFrame(): Promise<Uint8Array>;
    /** @throws when comments were sampled away, beyond the odd one: the rates would be of fewer than they say */
    checkShown(): void;
  }
> {
  const { store, server, swarm } = await watched(run, { show: SHOW, viewers });
  const writes: RoomWrites = createRoomWrites(store.redis);
  const chatter = createChatter();
  const reader = await listen(server.port);
  run.owns(reader.close);
  let said = 0;
  const frames = async (): Promise<number> => (await swarm.counts()).byKind["comments"] ?? 0;
  const tick = async (): Promise<void> => {
    said += COMMENTS_PER_TICK;
    await writes.comment(SHOW, chatter(COMMENTS_PER_TICK));
  };
  return {
    viewers,
    server,
    tick,
    frames,
    async nextFrame() {
      const before = await frames();
      await tick();
      const frame = await reader.next;
      while ((await frames()) < before + viewers) await sleep(5);
      return frame;
    },
    checkShown() {
      const shown = reader.shown();
      if (shown < LEAST_SHOWN * said || shown > said)
        throw new Error(`${shown} of ${said} comments were shown`);
    },
  };
}

async function uwsRoom(run: BenchRun, viewers: number, frame: Uint8Array): Promise<Room> {
  const server = await UWS.start(run.say);
  run.owns(server.stop);
  await server.tell({ bytes: Buffer.from(frame).toString("base64") });
  const swarm = await joined(run, {
    url: `ws://127.0.0.1:${server.port}/`,
    show: "",
    viewers,
    token: async () => "",
    bare: "plain",
  });
  return {
    viewers,
    server,
    tick: () => server.tell("publish"),
    frames: async () => (await swarm.counts()).frames,
  };
}

/** One more viewer, who counts what it is shown, and keeps the first frame of lane V. */
async function listen(port: number): Promise<{
  readonly next: Promise<Uint8Array>;
  readonly shown: () => number;
  readonly close: () => Promise<void>;
}> {
  const token = await viewerToken(SHOW)(999_999);
  const socket = new WebSocket(`ws://127.0.0.1:${port}${RT_PATH}`, SUBPROTOCOLS[0]);
  const into = Promise.withResolvers<void>();
  const first = Promise.withResolvers<Uint8Array>();
  let shown = 0;
  socket.on("open", () =>
    socket.send(encodeUp("hello", { token, show: SHOW, client: "reader", epoch: "", offset: 0 })),
  );
  socket.on("message", (message: Buffer) => {
    const bytes = new Uint8Array(message);
    const said = decodeDown(bytes);
    if (said.kind === "joined") into.resolve();
    if (said.kind !== "comments" || said.accepted === 0) return;
    shown += said.accepted - said.skipped;
    // Who does not say so is taken for slow, and shown less.
    socket.send(encodeUp("seen", { tick: said.tick }));
    first.resolve(bytes);
  });
  socket.on("error", first.reject);
  await into.promise;
  return {
    next: first.promise,
    shown: () => shown,
    async close() {
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.close();
      await closed;
    },
  };
}

/**
 * Refusals that never leave the gateway: from a decoded hold frame through the real commands (rates, mirror, guard, door) to the
 * bytes of the answer, handed to the socket interface. The room is a real one, read from Redis after its drop has sold out.
 */
import { decodeDown, encodeUp, decodeUp, type UpFrame } from "#wire";
import { encodeDown } from "#wire/server";
import { createCommands, type CommandPorts } from "../../server/gateway/commands.ts";
import { createDoor } from "../../server/gateway/door.ts";
import type { Figures } from "../../server/gateway/figures.ts";
import { createRates } from "../../server/gateway/rates.ts";
import { Session, type SessionPorts } from "../../server/gateway/session.ts";
import type { Socket } from "../../server/gateway/socket.ts";
import { createVelocity } from "../../server/gateway/velocity.ts";
import { createPasses } from "../../server/passes.ts";
import { createGuard } from "../../server/room/guard.ts";
import { createMirror } from "../../server/room/mirror.ts";
import { openShow } from "../../server/room/open.ts";
import type { Room } from "../../server/room/room.ts";
import type { Store } from "./world.ts";

const BUYERS = 20_000;
/** Between two taps of one buyer: far within the rates. */
const TAP_EVERY_MS = 2000;

type HoldFrame = Extract<UpFrame, { kind: "hold" }>;

/** @returns answers per second of CPU time: through the commands, and by packing and sending the same answers alone */
export async function createLocalRefusals(
  { redis }: Store,
  show: string,
  dropId: string,
): Promise<{ readonly refusals: () => number; readonly packing: () => number }> {
  const room = await openRoom(redis, show);
  let nowMs = 0;
  let sent = 0;
  let newest: Uint8Array = new Uint8Array();
  const socket = {
    json: false,
    address: "10.0.0.1",
    send(bytes: Uint8Array) {
      sent++;
      newest = bytes;
    },
  } as unknown as Socket;
  const command = createCommands(commandPorts(() => nowMs));
  const sessions = Array.from({ length: BUYERS }, (_, i) => newSession(socket, room, show, i));
  const frames = sessions.map((_, i) => holdFrame(dropId, i));

  return {
    refusals() {
      nowMs += TAP_EVERY_MS;
      sent = 0;
      const perSecond = perCpuSecond(() => {
        for (let i = 0; i < BUYERS; i++) command(sessions[i] as Session, frames[i] as HoldFrame);
      });
      const answer = decodeDown(newest);
      if (sent !== BUYERS || answer.kind !== "holdAnswered" || answer.result !== "soldOut")
        throw new Error(`${sent} of ${BUYERS} were refused, the last with ${answer.kind}`);
      return perSecond;
    },
    packing: () =>
      perCpuSecond(() => {
        for (let id = 1; id <= BUYERS; id++)
          socket.send(encodeDown("holdAnswered", { ...SOLD_OUT, id }));
      }),
  };
}

const SOLD_OUT = {
  result: "soldOut",
  holdId: "",
  deadlineMs: 0,
  quantity: 0,
  retryAfterMs: 0,
} as const;

/** Of this process, its garbage collector included: what others do on the machine makes no difference. */
function perCpuSecond(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return BUYERS / ((user + system) / 1e6);
}

const nothing = (): void => undefined;

/** What a command needs of a room: as this node knows it from the log, and what it must not tell yet. */
async function openRoom(redis: Store["redis"], show: string): Promise<Room> {
  const opened = await openShow(redis, show);
  if (opened === undefined) throw new Error("there is no such show");
  const guard = createGuard({
    show,
    opened,
    reader: { follow: () => () => undefined, stop: async () => undefined },
    journal: { note: () => undefined, knows: () => false, written: async () => undefined },
    reach: async () => true,
  });
  const mirror = createMirror(guard.opened, {
    onEvent: nothing,
    onState: nothing,
    onTotals: nothing,
    onComments: nothing,
    onHidden: nothing,
    onModeration: nothing,
    onOrder: nothing,
    onKept: nothing,
  });
  return { mirror, guard } as unknown as Room;
}

function commandPorts(nowMs: () => number): CommandPorts {
  const figures = { holdsAsked: 0, refusedHere: 0, flagged: 0, refused: {} } as unknown as Figures;
  const rates = createRates(nowMs, 1000);
  return {
    figures,
    rates,
    door: createDoor({
      passes: createPasses("a secret of the benches", 10),
      rates,
      velocity: createVelocity({ nowMs, redisNowMs: nowMs }),
      figures,
      redisNowMs: nowMs,
    }),
    redisNowMs: nowMs,
    nowMs,
    passed: () => undefined,
    batches: {
      ask: () => Promise.reject(new Error("Redis was asked")),
      waiting: 0,
      sent: { batches: 0, requests: 0 },
    },
  } as unknown as CommandPorts;
}

function newSession(socket: Socket, room: Room, show: string, index: number): Session {
  const session = new Session(socket, {
    counts: { framesIn: 0, framesOut: 0, closes: {} },
    nowMs: () => 0,
    later: () => () => undefined,
    greetings: { expect: () => undefined, settle: () => undefined },
  } as unknown as SessionPorts);
  session.show = show;
  session.viewerId = `v${String(index).padStart(18, "0")}`;
  session.room = room;
  return session;
}

/** As the wire gives it. */
function holdFrame(dropId: string, index: number): HoldFrame {
  const key = `k${index}-`.padEnd(22, "x");
  const frame = decodeUp(encodeUp("hold", { id: 1, key, dropId, quantity: 1, attempt: 0 }));
  if (frame.kind !== "hold") throw new Error(frame.kind);
  return frame;
}

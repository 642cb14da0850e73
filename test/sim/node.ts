/** One simulated gateway: the real session, room, lanes, mirror, guard, gate, commands, admission and drain, as `server/gateway/index.ts` composes them. */
import { LIMITS } from "#wire";
import { createAdmission } from "../../server/gateway/admission.ts";
import { createCommands } from "../../server/gateway/commands.ts";
import { createPasses } from "../../server/passes.ts";
import { createDoor } from "../../server/gateway/door.ts";
import type { Figures } from "../../server/gateway/figures.ts";
import { createGreetings } from "../../server/gateway/greetings.ts";
import { createRates } from "../../server/gateway/rates.ts";
import { createVelocity } from "../../server/gateway/velocity.ts";
import { afterMoment, createTurns, nextLoopTurn } from "../../server/room/turns.ts";
import { drain } from "../../server/gateway/drain.ts";
import { Session, type SessionPorts } from "../../server/gateway/session.ts";
import { createTickets } from "../../server/gateway/tickets.ts";
import type { Logger } from "../../server/log.ts";
import { createRooms } from "../../server/room/rooms.ts";
import { createBatches } from "../../server/shop/batch.ts";
import type { Chance } from "../helpers/chance.ts";
import type { Network } from "./network.ts";
import { createReach, type Weather } from "./redis.ts";
import { type Model, SHOW } from "./store.ts";
import type { Owner, Virtual } from "./virtual.ts";

export interface SimNode {
  readonly owner: Owner;
  readonly isUp: boolean;
  readonly weather: Weather;
  /** @param isSilent the machine is gone, not only the process: nobody is told */
  crash(isSilent: boolean): void;
  /** As at a deployment: everybody is asked to move on, then it ends. */
  drain(overMs: number): void;
}

export interface NodePorts {
  readonly virtual: Virtual;
  readonly chance: Chance;
  readonly network: Network;
  readonly model: Model;
  readonly appended: Set<() => void>;
  /** What the server itself would report as a bug. */
  readonly bug: (what: string) => void;
}

/** Of whoever asks. */
const nowMs = (): number => performance.now();

/** @param place what clients connect to; the node that was there before is gone */
export function startNode(place: string, incarnation: number, ports: NodePorts): SimNode {
  const { virtual, chance, network, model, appended, bug } = ports;
  const owner = virtual.owner(`${place}#${incarnation}`);
  const weather: Weather = { outageUntilMs: 0, lagUntilMs: 0 };
  let isUp = true;
  return virtual.as(owner, () => {
    const { call, reader } = createReach(virtual, chance, owner, { model, appended, weather });
    const redisNowMs = (): number => virtual.nowMs + 1e12;
    const sessions = new Set<Session>();
    const counts: SessionPorts["counts"] = { framesIn: 0, framesOut: 0, closes: {} };
    const turns = createTurns({
      publish: ({ name }, message) => network.publish(owner, name, message),
      nextTurn: nextLoopTurn,
      isRush: () => chance.hits(0.1),
      afterMoment,
      nowMs,
    });
    const rooms = createRooms({
      read: () => call("open", () => model.open()),
      reader,
      journal: { note: () => undefined, knows: () => false, written: async () => undefined },
      reach: async () => true,
      writes: {
        comment: (_, list) => call("comment", () => model.comment(list)),
        react: (_, list) => call("react", () => model.react(list)),
        presence: (_, node, change) => call("presence", () => model.presence(node, change)),
      },
      turns,
      node: owner.name,
      tickMs: 50,
      nowMs: redisNowMs,
      chance,
      onFannedOut: () => undefined,
    });
    const admission = createAdmission({
      maxViewers: 1000,
      newcomersPerSecond: 500,
      nowMs,
      chance,
    });
    const log = {
      error: (what: { readonly err: unknown }, said: string) => bug(`${said}: ${String(what.err)}`),
    };
    const figures: Figures = {
      commentsIn: 0,
      likesIn: 0,
      holdsAsked: 0,
      refusedHere: 0,
      refused: {},
      flagged: 0,
      holdTook: () => undefined,
      fanoutTook: () => undefined,
    };
    const rates = createRates(nowMs, 1000);
    const door = createDoor({
      passes: createPasses("secret", 0),
      rates,
      velocity: createVelocity({ nowMs, redisNowMs }),
      figures,
      redisNowMs,
    });
    const greetings = createGreetings<Session>({
      withinMs: LIMITS.helloWithinMs,
      late: (session) => session.late(),
      nowMs,
      later(fn, delayMs) {
        const timer = setTimeout(fn, delayMs);
        return () => clearTimeout(timer);
      },
    });
    const sessionPorts: SessionPorts = {
      // A token is its viewer id here.
      verify: async (viewerId) => ({
        show: SHOW,
        viewerId,
        role: "viewer",
        name: viewerId,
        sinceMs: 0,
      }),
      tickets: createTickets("secret", redisNowMs),
      roomAt: rooms.at,
      openRoom: rooms.open,
      admit: (resuming) => admission.ask(resuming, sessions.size - 1),
      waiting: () => admission.waiting,
      command: createCommands({
        batches: createBatches((_, requests) => call("decide", () => model.decide(requests))),
        media: { signal: () => undefined, left: () => undefined, stop: () => undefined },
        rates,
        door,
        figures,
        redisNowMs,
        nowMs,
        passed: () => undefined,
        log: log as unknown as Logger,
      }),
      ended: (session) => void sessions.delete(session),
      greetings,
      counts,
      nowMs,
    };
    const end = (isSilent: boolean): void => {
      isUp = false;
      owner.isDead = true;
      network.died(owner, isSilent);
    };
    const host = {
      owner,
      isListening: true,
      accept(socket: ConstructorParameters<typeof Session>[0]) {
        const session = new Session(socket, sessionPorts);
        sessions.add(session);
        return session;
      },
    };
    network.hosts.set(place, host);
    return {
      owner,
      get isUp() {
        return isUp && host.isListening;
      },
      weather,
      crash(isSilent) {
        host.isListening = false;
        end(isSilent);
      },
      drain(overMs) {
        const server = {
          publish: () => undefined,
          takePosted: () => false,
          stopListening() {
            host.isListening = false;
          },
          close: () => undefined,
        };
        virtual.as(owner, () => {
          void drain(server, sessions, overMs)
            .then(() => rooms.closeAll())
            .then(() => turns.stop())
            .then(() => virtual.after(10, owner, "ends", () => end(false)));
        });
      },
    };
  });
}

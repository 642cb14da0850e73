/**
 * Finds out whether our ports are free by binding all of them alone for a moment. Needed because uWebSockets shares a
 * port with whoever else asks to share it, so that a second server would take half of the viewers unnoticed. A port
 * given as 0 becomes a free one.
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config.ts";
import { Refusal } from "../refusal.ts";

export interface Ports {
  readonly port: number;
  readonly rtPort: number;
  readonly rtcPort: number;
}

/** Ports bound by us; the first one, and how to let all of them go. */
interface Held {
  readonly port: number;
  readonly release: () => Promise<void>;
}

/** The children of a supervisor that was killed a moment ago are still on their way out. */
const maxWaitMs = 1500;
const pauseMs = 100;
/** Below the ports that Linux gives to outgoing connections. */
const lowestFreeRtcPort = 20_000;
const freeRtcPorts = 12_000;

/** @throws Refusal naming every port that cannot be had, and its variable */
export async function claimPorts(config: Config): Promise<Ports> {
  refuseDoubles(config);
  const { host } = config;
  const claims = await Promise.all([
    claim("PORT", () => holdTcp(config.port, host)),
    claim("RT_PORT", () => holdTcp(config.rtPort, host)),
    claim("RTC_PORT", () => holdMedia(config)),
  ]);
  const held = claims.filter((each) => typeof each !== "string");
  await Promise.all(held.map((each) => each.release()));
  const [port, rtPort, rtcPort] = held.map((each) => each.port);
  if (port === undefined || rtPort === undefined || rtcPort === undefined) {
    throw new Refusal(...claims.filter((each) => typeof each === "string"));
  }
  return { port, rtPort, rtcPort };
}

function refuseDoubles({ port, rtPort, rtcPort, mediaWorkers }: Config): void {
  const isMedia = (each: number): boolean => each >= rtcPort && each < rtcPort + mediaWorkers;
  const problems = [
    port === rtPort &&
      port !== 0 &&
      `PORT and RT_PORT are both ${port}: set one of them to another`,
    rtcPort !== 0 &&
      isMedia(port) &&
      `PORT ${port} is a media port too: set PORT or RTC_PORT to another`,
    rtcPort !== 0 &&
      isMedia(rtPort) &&
      `RT_PORT ${rtPort} is a media port too: set RT_PORT or RTC_PORT to another`,
    rtcPort + mediaWorkers > 65_536 &&
      `RTC_PORT ${rtcPort} leaves no room for ${mediaWorkers} ports: set a lower one`,
  ].filter((problem) => problem !== false);
  if (problems.length > 0) throw new Refusal(...problems);
}

/** @returns what is held, or why it cannot be had */
async function claim(variable: string, hold: () => Promise<Held>): Promise<Held | string> {
  const giveUpAtMs = performance.now() + maxWaitMs;
  for (;;) {
    try {
      return await hold();
    } catch (error) {
      const { code, message, port } = error as NodeJS.ErrnoException & { readonly port?: number };
      if (code !== "EADDRINUSE") {
        return `${variable}: port ${port} cannot be used (${message}): set ${variable} or HOST to another`;
      }
      if (performance.now() > giveUpAtMs) {
        return `port ${port} is taken by another program: stop that one, or set ${variable} to a free port`;
      }
      await sleep(pauseMs);
    }
  }
}

async function holdMedia({ rtcPort, mediaWorkers, host }: Config): Promise<Held> {
  const first =
    rtcPort === 0 ? lowestFreeRtcPort + Math.floor(Math.random() * freeRtcPorts) : rtcPort;
  const held: Held[] = [];
  const release = async (): Promise<void> =>
    void (await Promise.all(held.map((each) => each.release())));
  try {
    for (let at = first; at < first + mediaWorkers; at += 1) {
      held.push(await holdTcp(at, host));
      held.push(await holdUdp(at, host));
    }
  } catch (error) {
    await release();
    throw error;
  }
  return { port: first, release };
}

async function holdTcp(port: number, host: string): Promise<Held> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const server = createServer();
  server.once("error", reject);
  server.listen({ port, host, exclusive: true }, resolve);
  await promise;
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    release: async () => void (await new Promise((done) => server.close(done))),
  };
}

async function holdUdp(port: number, host: string): Promise<Held> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  socket.once("error", reject);
  socket.bind({ port, address: host, exclusive: true }, resolve);
  await promise;
  return {
    port,
    release: () => new Promise((done) => socket.close(done)),
  };
}

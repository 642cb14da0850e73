/** The servers that Dropcast is held against: how each is started and how its viewers get in. All publish the same bytes to all. */
import type { DialectName } from "../../load/swarm/dialects.ts";
import { installedProgram, NoProgram } from "../../load/go-program.ts";
import { CENTRIFUGO, startCentrifugo } from "./centrifugo.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

export interface Rival {
  readonly name: string;
  /** Of its rows. */
  readonly row: string;
  readonly path: string;
  readonly dialect: DialectName;
  start(say: (text: string) => void): Promise<ServerProcess>;
}

export const UWS: Rival = {
  name: "uWebSockets.js",
  row: "uws-publish",
  path: "/",
  dialect: "plain",
  start: () => startServer("uws-server.ts"),
};

export const WS: Rival = {
  name: "ws",
  row: "ws-send",
  path: "/",
  dialect: "plain",
  start: () => startServer("ws-server.ts"),
};

export const SOCKET_IO: Rival = {
  name: "Socket.IO",
  row: "socketio-emit",
  path: "/socket.io/?EIO=4&transport=websocket",
  dialect: "socketio",
  start: () => startServer("socketio-server.ts"),
};

const CENTRIFUGO_RIVAL: Rival = {
  name: "Centrifugo",
  row: "centrifugo-publish",
  path: "/connection/websocket",
  dialect: "centrifugo",
  start: startCentrifugo,
};

/**
 * Centrifugo, if it is here or can be built; else a sentence, and no row.
 * @param builds false: only if it is here already
 */
export async function centrifugoIfAny(
  builds: boolean,
  say: (text: string) => void,
): Promise<readonly Rival[]> {
  if (installedProgram(CENTRIFUGO) === undefined && !builds) {
    say("no Centrifugo row: it has not been built yet, and --quick does not build");
    return [];
  }
  try {
    await (await startCentrifugo(say)).stop();
    return [CENTRIFUGO_RIVAL];
  } catch (error) {
    if (!(error instanceof NoProgram)) throw error;
    say(`no Centrifugo row: ${error.message}`);
    return [];
  }
}

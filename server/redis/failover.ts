/**
 * A primary and its replicas, without sentinels: `redis+failover://[user:password@]host:port,host:port …`. Each connection, and
 * each one after a loss, goes to the server that says it is the primary. Whoever promotes a replica (an operator, a script, a
 * cloud) needs to tell us nothing. With two primaries in sight none is taken until one has been demoted: better no sale than two
 * histories. When one connection of a process has found another primary, the others leave theirs at once: one that is silent might not
 * notice for long that its server is out of reach, and one that only reads might stay with a server that was demoted.
 * Cost: one ROLE per listed server and connection.
 */
import { createConnection, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { AbstractConnector } from "ioredis";

export interface Server {
  readonly host: string;
  readonly port: number;
}

interface Login {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

const ASK_WITHIN_MS = 1000;
const AGAIN_AFTER_MS = 200;
const DISCONNECT_WITHIN_MS = 2000;

/** Of this process, by the list of servers they chose from. */
const connected = new Map<string, Map<Socket, Server>>();

type Report = (type: string, error: Error) => void;

/** @returns a class for ioredis' option `Connector` */
export function connectorTo(servers: readonly Server[], login: Login) {
  const list = servers.map(({ host, port }) => `${host}:${port}`).join(", ");
  return class FailoverConnector extends AbstractConnector {
    constructor() {
      super(DISCONNECT_WITHIN_MS);
    }
    /** Tries until a primary is found, or until told to disconnect. */
    async connect(report: Report): Promise<Socket> {
      this.connecting = true;
      for (;;) {
        const answers = await Promise.all(servers.map((server) => isPrimary(server, login)));
        const primaries = servers.filter((_, i) => answers[i]);
        if (!this.connecting) throw new Error("Connection is closed.");
        if (primaries.length === 1) {
          this.stream = connectAs(list, primaries[0] as Server);
          return this.stream;
        }
        const why =
          primaries.length === 0
            ? "no primary"
            : "two primaries, demote one (REPLICAOF): none used";
        report("error", new Error(`connection closed: ${why} among ${list}`));
        await sleep(AGAIN_AFTER_MS);
      }
    }
  };
}

/** Connects to the primary of the list; who is with another server finds out now. */
function connectAs(list: string, primary: Server): Socket {
  const streams = connected.get(list) ?? new Map<Socket, Server>();
  connected.set(list, streams);
  for (const [stream, { host, port }] of streams)
    if (host !== primary.host || port !== primary.port) stream.destroy();
  const stream = createConnection({ ...primary });
  streams.set(stream, primary);
  stream.once("close", () => streams.delete(stream));
  return stream;
}

async function isPrimary({ host, port }: Server, login: Login): Promise<boolean> {
  const socket = createConnection({ host, port });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const no = (): void => resolve(false);
  let said = "";
  socket.on("data", (chunk: Buffer) => {
    said += chunk.toString("latin1");
    // The first word of ROLE's answer; an error is a line that begins with "-".
    const role = /\*\d+\r\n\$\d+\r\n(\w+)\r\n/.exec(said)?.[1];
    if (role !== undefined) resolve(role === "master");
    else if (/^-/m.test(said)) no();
  });
  // Out of reach is an answer here, not a failure.
  socket.on("error", no).on("close", no);
  const { username = "default", password } = login;
  if (password !== undefined) socket.write(command("AUTH", username, password));
  socket.write(command("ROLE"));
  const timer = setTimeout(no, ASK_WITHIN_MS);
  const answer = await promise;
  clearTimeout(timer);
  socket.destroy();
  return answer;
}

const command = (...words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;

/** A shop's back end: a real HTTP server that checks each signature, keeps what it took, and fails as a test wants. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { verifyDropcastSignature } from "../../server/outbox/signature.ts";

export interface Received {
  readonly id: string;
  readonly type: string;
  readonly show: string;
  readonly atMs: number;
  readonly data: Readonly<Record<string, string | number | boolean | null | readonly string[]>>;
}

export interface Receiver {
  readonly url: string;
  /** Events that were answered with 200, in order, repeats included. */
  readonly taken: readonly Received[];
  /** Every request, refused ones included. */
  readonly seen: readonly Received[];
  /** Requests whose signature was wrong. */
  readonly forged: number;
  /** What to answer: a status, "hang" for none at all. Default: 200. */
  answer: (event: Received) => number | "hang";
  /** Refuses connections. */
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

export async function startReceiver(secret: () => string): Promise<Receiver> {
  const taken: Received[] = [];
  const seen: Received[] = [];
  let forged = 0;
  let port = 0;
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request);
    const header = String(request.headers["dropcast-signature"]);
    if (!verifyDropcastSignature(body, header, secret(), Date.now() / 1000)) {
      forged++;
      response.writeHead(400).end();
      return;
    }
    const event = JSON.parse(body) as Received;
    seen.push(event);
    const answer = receiver.answer(event);
    if (answer === "hang") return;
    if (answer === 200) taken.push(event);
    response.writeHead(answer).end();
  };
  const make = () => createServer((request, response) => void handle(request, response));
  let server = make();
  const listen = async (): Promise<void> => {
    server.listen(port, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    ({ port } = server.address() as AddressInfo);
  };
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  const receiver: Receiver = {
    taken,
    seen,
    get url() {
      return `http://127.0.0.1:${port}/hook`;
    },
    get forged() {
      return forged;
    },
    answer: () => 200,
    down: close,
    async up() {
      server = make();
      await listen();
    },
    stop: close,
  };
  await listen();
  return receiver;
}

/** The state a back end arrives at by "the highest version wins": `viewerId|holdId` → type. */
export function finalStates(events: readonly Received[]): Map<string, string> {
  const newest = new Map<string, Received>();
  for (const event of events.filter(({ type }) => type.startsWith("order."))) {
    const order = `${String(event.data["viewerId"])}|${String(event.data["holdId"])}`;
    const known = newest.get(order);
    if (known === undefined || Number(event.data["version"]) >= Number(known.data["version"]))
      newest.set(order, event);
  }
  return new Map([...newest].map(([order, { type }]) => [order, type]));
}

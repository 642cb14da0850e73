/**
 * One attempt to deliver one event: a signed POST, kept-alive connections, no redirects, everything within one time limit.
 * Any 2xx is a success; of an answer nothing but its status is read.
 */
import { type LookupFunction } from "node:net";
import { lookup } from "node:dns";
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { isRefusedAddress } from "./address.ts";
import { sign } from "./signature.ts";

export interface Envelope {
  readonly url: string;
  readonly secret: string;
  readonly body: string;
  /** Event id. */
  readonly id: string;
  readonly attempt: number;
}

export interface Postman {
  /** @returns undefined when it was taken, else why not, in a few words and without secrets */
  post(envelope: Envelope): Promise<string | undefined>;
  /** Ends what is under way, as a failure. */
  close(): void;
}

export interface PostmanPorts {
  readonly timeoutMs: number;
  /** Unix time in seconds. */
  readonly nowS: () => number;
  readonly allowsAll: boolean;
}

export function createPostman({ timeoutMs, nowS, allowsAll }: PostmanPorts): Postman {
  const options = { keepAlive: true, maxSockets: 32, maxFreeSockets: 4 };
  const agents = { http: new HttpAgent(options), https: new HttpsAgent(options) };
  const closing = new AbortController();
  const guarded: LookupFunction = (host, how, done) => {
    lookup(host, how, (error, address, family) => {
      const found = Array.isArray(address) ? address.map((one) => one.address) : [address];
      const refused = error === null && !allowsAll && found.some(isRefusedAddress);
      done(refused ? new Error("its name leads to a refused address") : error, address, family);
    });
  };
  const send = ({ url, secret, body, id, attempt }: Envelope): Promise<IncomingMessage> => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const target = new URL(url);
    const isHttps = target.protocol === "https:";
    const outgoing = (isHttps ? requestHttps : requestHttp)(target, {
      method: "POST",
      agent: isHttps ? agents.https : agents.http,
      lookup: guarded,
      signal: AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]),
      headers: {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "user-agent": "Dropcast",
        "dropcast-event-id": id,
        "dropcast-attempt": attempt,
        "dropcast-signature": sign(body, secret, nowS()),
      },
    });
    outgoing.once("response", resolve);
    // Also after the answer: a connection that breaks while the rest is thrown away concerns nobody.
    outgoing.on("error", reject);
    outgoing.end(body);
    return promise;
  };
  return {
    async post(envelope) {
      try {
        const answer = await send(envelope);
        answer.on("error", () => answer.destroy());
        answer.resume();
        const { statusCode = 0 } = answer;
        return statusCode >= 200 && statusCode < 300 ? undefined : `HTTP ${statusCode}`;
      } catch (error) {
        return reasonOf(error, timeoutMs);
      }
    },
    close() {
      closing.abort();
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function reasonOf(error: unknown, timeoutMs: number): string {
  const { code, message, name, cause } = error as NodeJS.ErrnoException;
  const isTimeout =
    name === "TimeoutError" || (cause as Error | undefined)?.name === "TimeoutError";
  if (isTimeout) return `no answer within ${timeoutMs} ms`;
  return (code ?? message).slice(0, 200);
}

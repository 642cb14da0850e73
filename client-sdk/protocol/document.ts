/** The text of client-sdk/PROTOCOL.md, from the tables beside this file. `npm run docs` writes it, a test holds the file against it. */
import { CLOSES } from "./closes.ts";
import type { Field } from "./fields.ts";
import { FAILURES } from "./down.ts";
import { FRAMES, type FrameName } from "./frames.ts";
import { SIGNALS } from "./up.ts";
import { LIMITS } from "./limits.ts";
import { COMMENT, COUPON, DROP, ORDER, PRODUCT } from "./records.ts";
import { SAYS } from "./says.ts";

const cell = (text: string): string => text.replaceAll("|", "\\|");
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows]
    .map((row) => `| ${row.map(cell).join(" | ")} |`)
    .join("\n");

const fieldsOf = (fields: Readonly<Record<string, Field<unknown>>>): string =>
  Object.entries(fields)
    .map(([name, field]) => `\`${name}\` ${field.label}`)
    .join(", ");

const frames = (way: "up" | "down"): string =>
  table(
    ["opcode", "frame", ...(way === "down" ? ["lane"] : []), "fields, in order", "meaning"],
    (Object.keys(FRAMES) as FrameName[])
      .filter((name) => FRAMES[name].way === way)
      .map((name) => {
        const spec: {
          opcode: number;
          lane?: string;
          fields: Readonly<Record<string, Field<unknown>>>;
        } = FRAMES[name];
        const opcode = `0x${spec.opcode.toString(16).padStart(2, "0")}`;
        return [
          opcode,
          `\`${name}\``,
          ...(way === "down" ? [spec.lane ?? "one"] : []),
          fieldsOf(spec.fields),
          SAYS[name],
        ];
      }),
  );

export const protocolDocument = (): string => `# The Dropcast wire, version 1

Written by \`npm run docs\` from \`client-sdk/protocol/\`; do not edit by hand.

Endpoint \`ws://host:RT_PORT/v1/rt\`. Subprotocols \`dropcast.v1.msgpack\` (binary messages) and \`dropcast.v1.json\` (text messages)
carry the same positional arrays \`[opcode, ...fields]\`, one per message. Times are ms since 1970 on the server's clock (Redis TIME),
money is integer cents. Opcodes and field orders are permanent. Who offers \`dropcast.v1.deflate\` too gets msgpack, and ticks of lane V of
some size deflated: such a message is the byte 0xc1 (which no msgpack begins with), then the frame's bytes as raw deflate (RFC 1951).

Where WebSockets are blocked: \`POST http://host:RT_PORT/v1/sse\` with \`hello\` as its body answers with a stream of events (the format
of EventSource). Its first event, \`open\`, has the connection's name as its data; each further one a frame as JSON text; \`close\` has the
close code and its reason. Frames go up as \`POST /v1/rt/<connection>\`, one per line, to any gateway of the port: 204 taken, 410 the
stream is gone (come back), 413 too long at once. One POST at a time keeps their order.

A connection: \`hello\` → \`welcome\` → (missed events | \`snapshot\`) → own \`orderChanged\` … → \`joined\` → live. Until \`joined\` the client
sends nothing else. Lanes: **R** every viewer gets each, in order of \`offset\` without a gap, or a snapshot in its place; **S** the highest
version wins; **V** sampled, with a receipt; **A** running totals; **one**: for this client only.

## Client → server

${frames("up")}

## Server → client

${frames("down")}

## Records

${table(
  ["record", "fields, in order"],
  Object.entries({ PRODUCT, DROP, ORDER, COUPON, COMMENT }).map(([name, r]) => [
    name.toLowerCase(),
    fieldsOf(r.fields),
  ]),
)}

Signals: ${SIGNALS.map((s) => `\`${s}\``).join(" ")}. Codes of \`failed\`: ${FAILURES.map((s) => `\`${s}\``).join(" ")}.

## Close codes

4000–4099 are final. 4100–4199 mean come back later: the reason is the least delay in ms
(of 4100 followed by about how many wait to be let in). 4200–4299, and the network's own codes, mean resume now.

${table(
  ["code", "word", "meaning"],
  Object.entries(CLOSES).map(([word, { code, says }]) => [String(code), `\`${word}\``, says]),
)}

## Limits

${table(
  ["limit", "value"],
  Object.entries(LIMITS).map(([name, value]) => [`\`${name}\``, value.toLocaleString("en")]),
)}
`;

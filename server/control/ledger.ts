/**
 * `/v1/shows/:show/ledger.ndjson` and `.csv`: every movement of stock with the books after it, for host, operator and admin. Summed by
 * kind they give the books, and `cents` the orders, to the cent. `/v1/ledger/key`: who signs the ledgers of this server, for everybody.
 */
import { Readable } from "node:stream";
import { z } from "zod";
import { ledgerFolder, showFolder } from "../ledger/files.ts";
import { history } from "../ledger/history.ts";
import { fingerprintOf, openLedgerKey } from "../ledger/key.ts";
import { BOOK_FIELDS, type Movement } from "../ledger/movement.ts";
import { signedNoOf } from "../ledger/resume.ts";
import { newestNo } from "../ledger/stream.ts";
import type { App, Desk } from "./desk.ts";
import { cellOf } from "./orders.ts";
import { ADMIN, REFUSALS, ShowParams } from "./schemas.ts";

const COLUMNS = [
  "no",
  "atMs",
  "kind",
  "dropId",
  "viewerId",
  "holdId",
  "quantity",
  "cents",
  ...BOOK_FIELDS,
  "discountCents",
  "coupons",
] as const satisfies readonly (keyof Movement)[];

const FORMATS = {
  ndjson: {
    type: "application/x-ndjson",
    head: "",
    line: (movement: Movement) => `${JSON.stringify(movement, [...COLUMNS])}\n`,
    says: "Every movement of stock with the books after it, one JSON object a line",
  },
  csv: {
    type: "text/csv; charset=utf-8",
    head: `${COLUMNS.join(",")}\r\n`,
    line: (movement: Movement) => `${COLUMNS.map((name) => cellOf(movement[name])).join(",")}\r\n`,
    says: "Every movement of stock with the books after it, as CSV",
  },
} as const;

const State = z.object({
  state: z.enum(["following", "waiting", "stuck"]),
  reason: z.string().optional(),
  entries: z.int().describe("in Redis"),
  signedEntries: z.int().describe("through which the files of this server are signed"),
});

export function ledgerRoutes(app: App, { access, config, redis, tail }: Desk): void {
  app.get(
    "/ledger/state",
    {
      onRequest: access.only("host", "operator"),
      schema: {
        tags: ["proof"],
        summary: "How far the ledger files have got, and what stops them",
        security: ADMIN,
        params: ShowParams,
        response: { 200: State, ...REFUSALS },
      },
    },
    async ({ params: { show } }) => {
      const reason = tail.stuck.get(show);
      return {
        state: reason !== undefined ? "stuck" : tail.waiting.has(show) ? "waiting" : "following",
        ...(reason === undefined ? {} : { reason }),
        entries: await newestNo(redis, show),
        signedEntries: await signedNoOf(showFolder(ledgerFolder(config.dataDir), show)),
      } as const;
    },
  );
  for (const [ending, { type, head, line, says }] of Object.entries(FORMATS))
    app.get(
      `/ledger.${ending}`,
      {
        onRequest: access.only("host", "operator"),
        schema: { tags: ["proof"], summary: says, security: ADMIN, params: ShowParams },
      },
      async ({ params: { show } }, reply) => {
        const folder = showFolder(ledgerFolder(config.dataDir), show);
        reply.header("content-disposition", `attachment; filename="${show}-ledger.${ending}"`);
        const lines = async function* (): AsyncGenerator<string> {
          yield head;
          for await (const page of history(redis, show, folder)) yield page.map(line).join("");
        };
        return reply.type(type).send(Readable.from(lines(), { objectMode: false }));
      },
    );
}

const Key = z.object({
  algorithm: z.literal("Ed25519"),
  publicKey: z.string().describe("SPKI DER in base64, as checkpoints and proofs name it"),
  fingerprint: z.string().describe("first 16 bytes of its SHA-256, in hex"),
  pem: z.string().describe("for `npm run verify -- --key FILE`"),
});

export function ledgerKeyRoute(app: App, { config }: Desk): void {
  const { publicKey } = openLedgerKey(config.dataDir);
  const key = {
    algorithm: "Ed25519",
    publicKey,
    fingerprint: fingerprintOf(publicKey),
    pem: `-----BEGIN PUBLIC KEY-----\n${publicKey}\n-----END PUBLIC KEY-----\n`,
  } as const;
  app.get(
    "/v1/ledger/key",
    {
      schema: {
        tags: ["proof"],
        summary: "The public key that signs the ledgers of this server",
        response: { 200: Key, ...REFUSALS },
      },
    },
    async () => key,
  );
}

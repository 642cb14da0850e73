/**
 * `/v1/shows/:show/comments.ndjson` and `.csv`: every comment that was accepted, on whatever node, whether the sample showed it or not;
 * with marks for those shown to their authors alone and those deleted since. For host, operator and admin.
 */
import { Readable } from "node:stream";
import { commentsFolder, everyComment, type Recorded } from "../comments/files.ts";
import { unrecorded } from "../comments/record.ts";
import { showKeys } from "../redis/keys.ts";
import type { App, Desk } from "./desk.ts";
import { cellOf } from "./orders.ts";
import { ADMIN, ShowParams } from "./schemas.ts";

interface Told extends Recorded {
  readonly isDeleted: boolean;
}

const COLUMNS = [
  "no",
  "atMs",
  "viewerId",
  "name",
  "role",
  "text",
  "isHidden",
  "isDeleted",
] as const satisfies readonly (keyof Told)[];

const FORMATS = {
  ndjson: {
    type: "application/x-ndjson",
    head: "",
    line: (comment: Told) => `${JSON.stringify(comment, [...COLUMNS])}\n`,
    says: "Every accepted comment, one JSON object a line",
  },
  csv: {
    type: "text/csv; charset=utf-8",
    head: `${COLUMNS.join(",")}\r\n`,
    line: (comment: Told) =>
      `${COLUMNS.map((name) => cellOf(typeof comment[name] === "boolean" ? Number(comment[name]) : comment[name])).join(",")}\r\n`,
    says: "Every accepted comment, as CSV",
  },
} as const;

export function commentRoutes(app: App, { access, config, redis }: Desk): void {
  for (const [ending, { type, head, line, says }] of Object.entries(FORMATS))
    app.get(
      `/comments.${ending}`,
      {
        onRequest: access.only("host", "operator"),
        schema: { tags: ["moderation"], summary: says, security: ADMIN, params: ShowParams },
      },
      async ({ params: { show } }, reply) => {
        const keys = showKeys(show);
        // First what is not in the files: what gets there meanwhile is told once, from the files.
        const rest = await unrecorded(redis, show);
        const epoch = (await redis.hget(keys.meta, "epoch")) ?? "";
        const deleted = new Set(await redis.smembers(keys.deletedComments));
        reply.header("content-disposition", `attachment; filename="${show}-comments.${ending}"`);
        const lines = async function* (): AsyncGenerator<string> {
          yield head;
          for await (const page of everyComment(commentsFolder(config.dataDir, show), epoch, rest))
            yield page
              .map((comment) => line({ ...comment, isDeleted: deleted.has(String(comment.no)) }))
              .join("");
        };
        return reply.type(type).send(Readable.from(lines(), { objectMode: false }));
      },
    );
}

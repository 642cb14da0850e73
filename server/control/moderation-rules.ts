/** `/v1/shows/:show/moderation`: the room's rules for comments. `/audit`: who did what to whom. Word lists are never public. */
import { z } from "zod";
import { NO_RULES } from "../room/moderation/rules.ts";
import { readWord } from "../room/moderation/words.ts";
import { actorOf } from "./actor.ts";
import type { App, Desk } from "./desk.ts";
import { ADMIN, AT_MS, REFUSALS, ShowParams } from "./schemas.ts";

const MAX_WORDS = 5000;
const MAX_WORD_CHARS = 40;
/** Two full lists. */
const MAX_BODY_BYTES = 1024 * 1024;

const Word = z
  .string()
  .trim()
  .min(1)
  .max(MAX_WORD_CHARS)
  .refine((word) => readWord(word) !== undefined, {
    error: "has no letter or digit that could be found｜不含可匹配的文字",
  });
const Words = z
  .array(Word, "must be a list of words｜须为词语列表")
  .max(MAX_WORDS, `must be at most ${MAX_WORDS} words｜最多 ${MAX_WORDS} 个词`)
  .transform((words) => [...new Set(words)]);
const StoredWords = z.array(z.string());

const RULES = {
  slowModeMs: z
    .int()
    .min(0)
    .max(600_000)
    .default(NO_RULES.slowModeMs)
    .describe("least time between two comments of one viewer; 0: no such rule"),
  links: z
    .enum(["allow", "hosts", "block"])
    .default(NO_RULES.links)
    .describe("who may post links: everybody, host and moderators, nobody"),
  newcomerMs: z
    .int()
    .min(0)
    .max(7 * 24 * 3_600_000)
    .default(NO_RULES.newcomerMs)
    .describe("how long ago a viewer's first token for this show must have been made"),
  roomPerSecond: z
    .int()
    .min(0)
    .max(100_000)
    .default(NO_RULES.roomPerSecond)
    .describe("comments per second of all viewers; 0: no such rule"),
};
const Rules = z.object({ ...RULES, blockedWords: StoredWords, maskedWords: StoredWords });
const ChangedRules = z.strictObject({
  ...RULES,
  blockedWords: Words.default([]).describe(
    "comments with one of them are refused; * at an end of an alphabetic word opens that end",
  ),
  maskedWords: Words.default([]).describe("shown as stars"),
});

const Deed = z.object({
  id: z.string(),
  atMs: AT_MS,
  role: z.string(),
  by: z.string().describe("viewer id; empty: the admin key"),
  did: z.string(),
  to: z.string().describe("viewer id or comment number"),
  detail: z.string(),
});
const AuditQuery = z.strictObject({
  most: z.coerce.number().int().min(1).max(500).default(100),
  before: z
    .string()
    .regex(/^\d+-\d+$/, "must be the id of an entry｜须为记录的 id")
    .optional()
    .describe("id of the oldest entry known so far"),
});

export function moderationRuleRoutes(app: App, { shows, access }: Desk): void {
  const onRequest = access.only("moderator", "host");
  app.get(
    "/moderation",
    {
      onRequest,
      schema: {
        tags: ["moderation"],
        summary: "The room's rules for comments",
        security: ADMIN,
        params: ShowParams,
        response: { 200: Rules, ...REFUSALS },
      },
    },
    async ({ params: { show } }) => copyOf(await shows.rulesOf(show)),
  );
  app.put(
    "/moderation",
    {
      onRequest,
      bodyLimit: MAX_BODY_BYTES,
      schema: {
        tags: ["moderation"],
        summary: "Set the room's rules for comments; what is left out goes back to none",
        security: ADMIN,
        params: ShowParams,
        body: ChangedRules,
        response: { 200: Rules, ...REFUSALS },
      },
    },
    async ({ params: { show }, body, headers }) => {
      await shows.changeRules(show, body, await actorOf(access, { headers }));
      return copyOf(await shows.rulesOf(show));
    },
  );
  app.get(
    "/audit",
    {
      onRequest: access.only("host"),
      schema: {
        tags: ["moderation"],
        summary: "Who did what to whom, newest first",
        security: ADMIN,
        params: ShowParams,
        querystring: AuditQuery,
        response: { 200: z.object({ entries: z.array(Deed) }), ...REFUSALS },
      },
    },
    async ({ params: { show }, query: { most, before } }) => ({
      entries: [...(await shows.auditOf(show, most, before))],
    }),
  );
}

const copyOf = (rules: Awaited<ReturnType<Desk["shows"]["rulesOf"]>>): z.output<typeof Rules> => ({
  ...rules,
  blockedWords: [...rules.blockedWords],
  maskedWords: [...rules.maskedWords],
});

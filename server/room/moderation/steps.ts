/**
 * What moderators do: each is one atomic step that changes Redis, tells every node through the show log and writes the audit log.
 * A node has applied it when it has read the log: tens of ms, plus the compiling of changed word lists.
 */
import type { Comment } from "#wire";
import { packValue } from "#wire/server";
import type { Redis } from "ioredis";
import { showKeys } from "../../redis/keys.ts";
import { loadScript } from "../../redis/lua.ts";
import { readComments } from "../entries.ts";
import { readEntry } from "../log.ts";
import { rulesFrom } from "./gate.ts";
import type { Rules } from "./rules.ts";

/** Who does it; `id` is a viewer id, empty for the admin key. */
export interface Actor {
  readonly role: "admin" | "viewer" | "moderator" | "host" | "operator" | "system";
  readonly id: string;
}

export interface AuditEntry {
  readonly id: string;
  readonly atMs: number;
  readonly role: string;
  readonly by: string;
  readonly did: string;
  /** Viewer id or comment number. */
  readonly to: string;
  readonly detail: string;
}

export interface Moderation {
  rulesOf(show: string): Promise<Rules>;
  /** @returns names of the rules that are different now */
  changeRules(show: string, rules: Partial<Rules>, by?: Actor): Promise<readonly string[]>;
  /** @returns until when, by Redis TIME */
  mute(show: string, viewerId: string, forMs: number, by?: Actor): Promise<number>;
  unmute(show: string, viewerId: string, by?: Actor): Promise<void>;
  shadowBan(show: string, viewerId: string, by?: Actor): Promise<"changed" | "same">;
  shadowUnban(show: string, viewerId: string, by?: Actor): Promise<"changed" | "same">;
  shadowBanned(show: string): Promise<readonly string[]>;
  /** For good: neither a token nor a ticket lets the viewer back in. */
  removeViewer(show: string, viewerId: string, by?: Actor): Promise<"changed" | "same">;
  readmitViewer(show: string, viewerId: string, by?: Actor): Promise<"changed" | "same">;
  removedViewers(show: string): Promise<readonly string[]>;
  deleteComment(show: string, commentNo: number, by?: Actor): Promise<"deleted" | "unknown">;
  /** `unknown`: there is no such comment, or the log no longer has it. */
  pinComment(
    show: string,
    commentNo: number,
    by?: Actor,
  ): Promise<"pinned" | "deleted" | "unknown">;
  unpinComment(show: string, commentNo: number, by?: Actor): Promise<"unpinned" | "other">;
  /** Newest first. @param beforeId of the oldest entry known so far */
  auditOf(show: string, most: number, beforeId?: string): Promise<readonly AuditEntry[]>;
}

const SYSTEM: Actor = { role: "system", id: "" };
const said = ({ role, id }: Actor): string => `${role}|${id}`;
const file = (name: string): URL => new URL(`../${name}.lua`, import.meta.url);

export function createModeration(redis: Redis): Moderation {
  const rules = loadScript(redis, {
    file: file("rules"),
    keys: ["meta", "log", "rules", "audit"],
    args: ["changes", "by"],
    read: (reply) => (reply as Buffer[]).map(String),
  });
  const mute = loadScript(redis, {
    file: file("mute"),
    keys: ["meta", "log", "muted", "audit"],
    args: ["viewerId", "forMs", "by"],
    read: Number,
  });
  const shadow = loadScript(redis, {
    file: file("shadow"),
    keys: ["meta", "log", "shadowed", "audit"],
    args: ["viewerId", "isOn", "by"],
    read: (reply) => String(reply) as "changed" | "same",
  });
  const removing = loadScript(redis, {
    file: file("remove"),
    keys: ["meta", "log", "removed", "audit"],
    args: ["viewerId", "isOn", "by"],
    read: (reply) => String(reply) as "changed" | "same",
  });
  const remove = loadScript(redis, {
    file: file("delete"),
    keys: ["meta", "log", "pinnedComment", "deletedComments", "audit"],
    args: ["commentNo", "author", "by"],
    read: (reply) => String(reply) as "deleted" | "unknown",
  });
  const pin = loadScript(redis, {
    file: file("pinComment"),
    keys: ["meta", "log", "pinnedComment", "deletedComments", "audit"],
    args: ["commentNo", "json", "by"],
    read: (reply) => String(reply) as "pinned" | "deleted",
  });
  const unpin = loadScript(redis, {
    file: file("unpinComment"),
    keys: ["meta", "log", "pinnedComment", "audit"],
    args: ["commentNo", "by"],
    read: (reply) => String(reply) as "unpinned" | "other",
  });
  const shadowing = (isOn: 0 | 1) => (show: string, viewerId: string, by?: Actor) =>
    shadow(showKeys(show), { viewerId, isOn, by: said(by ?? SYSTEM) });

  return {
    rulesOf: async (show) => rulesFrom(await redis.hgetall(showKeys(show).rules)),
    changeRules(show, changed, by = SYSTEM) {
      const changes = Object.entries(changed).map(([name, value]) => [name, JSON.stringify(value)]);
      return rules(showKeys(show), { changes: packValue(changes), by: said(by) });
    },
    mute: (show, viewerId, forMs, by = SYSTEM) =>
      mute(showKeys(show), { viewerId, forMs, by: said(by) }),
    async unmute(show, viewerId, by = SYSTEM) {
      await mute(showKeys(show), { viewerId, forMs: 0, by: said(by) });
    },
    shadowBan: shadowing(1),
    shadowUnban: shadowing(0),
    removeViewer: (show, viewerId, by = SYSTEM) =>
      removing(showKeys(show), { viewerId, isOn: 1, by: said(by) }),
    readmitViewer: (show, viewerId, by = SYSTEM) =>
      removing(showKeys(show), { viewerId, isOn: 0, by: said(by) }),
    removedViewers: async (show) => (await redis.smembers(showKeys(show).removed)).sort(),
    shadowBanned: async (show) => (await redis.smembers(showKeys(show).shadowed)).sort(),
    async deleteComment(show, commentNo, by = SYSTEM) {
      const author = (await findComment(redis, show, commentNo))?.viewerId ?? "";
      return remove(showKeys(show), { commentNo, author, by: said(by) });
    },
    async pinComment(show, commentNo, by = SYSTEM) {
      const comment = await findComment(redis, show, commentNo);
      if (comment === undefined) return "unknown";
      return pin(showKeys(show), { commentNo, json: JSON.stringify(comment), by: said(by) });
    },
    unpinComment: (show, commentNo, by = SYSTEM) =>
      unpin(showKeys(show), { commentNo, by: said(by) }),
    async auditOf(show, most, beforeId) {
      const end = beforeId === undefined ? "+" : `(${beforeId}`;
      const found = await redis.xrevrange(showKeys(show).audit, end, "-", "COUNT", most);
      return found.map(([id, [, role, , by, , did, , to, , detail]]) => ({
        id,
        atMs: Number(id.split("-")[0]),
        ...({ role, by, did, to, detail } as Omit<AuditEntry, "id" | "atMs">),
      }));
    },
  };
}

const PAGE_ENTRIES = 300;

/** Looks for a comment that everybody may see in what the log keeps, newest first: the ones on screens are among the first. */
async function findComment(redis: Redis, show: string, no: number): Promise<Comment | undefined> {
  for (let end = "+"; ;) {
    const page = await redis.xrevrangeBuffer(showKeys(show).log, end, "-", "COUNT", PAGE_ENTRIES);
    const entries = (page as unknown as Parameters<typeof readEntry>[0][]).map(readEntry);
    for (const { fields } of entries)
      for (const [field, bytes] of fields) {
        if (field !== "V") continue;
        const { comments } = readComments(bytes);
        const found = comments.find((comment) => comment.no === no);
        if (found !== undefined) return found;
        // Numbers rise along the log.
        if ((comments[0]?.no ?? 0) < no) return undefined;
      }
    const oldest = entries.at(-1);
    if (oldest === undefined || entries.length < PAGE_ENTRIES) return undefined;
    end = `(${oldest.id}`;
  }
}

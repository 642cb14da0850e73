/** What viewers add to a room's log: comments, and likes and shares as sums. Each is gathered into one append per room. */
import type { Role } from "#wire";
import { packValue } from "#wire/server";
import type { Redis } from "ioredis";
import { showKeys } from "../redis/keys.ts";
import { loadScript } from "../redis/lua.ts";

export interface NewComment {
  readonly viewerId: string;
  /** App instance; `seq` rises within it. */
  readonly client: string;
  readonly seq: number;
  readonly name: string;
  readonly role: Role;
  readonly text: string;
  /** For its author's eyes only. */
  readonly isHidden: boolean;
}

export interface NewReaction {
  readonly viewerId: string;
  readonly client: string;
  readonly seq: number;
  readonly likes: number;
  readonly shares: number;
}

export interface PresenceChange {
  /** whole: `came` is everybody; end: the lease is given up. */
  readonly mode: "changes" | "whole" | "end";
  readonly came: readonly string[];
  readonly left: readonly string[];
}

export interface PresenceTold {
  /** Different viewers on all living nodes. */
  readonly viewers: number;
  /** "": the show is gone. */
  readonly epoch: string;
  readonly offset: number;
  /** Viewers of this node, as Redis knows it now. */
  readonly known: number;
}

export interface RoomWrites {
  /** @returns their numbers, 0 for one that was there already */
  comment(show: string, comments: readonly NewComment[]): Promise<readonly number[]>;
  react(show: string, reactions: readonly NewReaction[]): Promise<number>;
  /** Renews this node's lease and tells what has changed among its viewers; see presence.lua. */
  readonly presence: (show: string, node: string, change: PresenceChange) => Promise<PresenceTold>;
}

/** A killed node's viewers are gone after this. */
const LEASE_MS = 3500;

const file = (name: string): URL => new URL(`${name}.lua`, import.meta.url);

export function createRoomWrites(redis: Redis): RoomWrites {
  const comment = loadScript(redis, {
    file: file("comment"),
    keys: ["meta", "log", "applied", "comments"],
    args: ["batch"],
    read: (reply) => reply as number[],
  });
  const react = loadScript(redis, {
    file: file("react"),
    keys: ["meta", "log", "applied"],
    args: ["batch"],
    read: Number,
  });
  const presence = loadScript(redis, {
    file: file("presence"),
    keys: ["meta", "log", "viewers", "watching", "present"],
    args: ["node", "leaseMs", "mode", "came", "left"],
    read: (reply): PresenceTold => {
      const [viewers, epoch, offset, known] = reply as [number, Buffer, number, number];
      return { viewers, epoch: epoch.toString(), offset, known };
    },
  });
  return {
    comment: (show, comments) =>
      comment(showKeys(show), {
        batch: packValue(
          comments.map((c) => [c.viewerId, c.client, c.seq, c.name, c.role, c.text, c.isHidden]),
        ),
      }),
    react: (show, reactions) =>
      react(showKeys(show), {
        batch: packValue(reactions.map((r) => [r.viewerId, r.client, r.seq, r.likes, r.shares])),
      }),
    presence: (show, node, { mode, came, left }) =>
      presence(showKeys(show), {
        node,
        leaseMs: LEASE_MS,
        mode,
        came: packValue(came),
        left: packValue(left),
      }),
  };
}

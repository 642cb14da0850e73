/**
 * What one process of Dropcast is given to start with: `startGateway`, `startControl` and `startMedia` take this,
 * resolve when they are ready, and put what they own on `running`.
 */
import type { Config } from "./config.ts";
import type { Running } from "./lifecycle.ts";
import type { Logger } from "./log.ts";

export const ROLES = ["control", "media", "gateway"] as const;
export type Role = (typeof ROLES)[number];

export interface RoleConfig extends Config {
  readonly adminKey: string;
  readonly tokenSecret: string;
  /** `redis://…`, `rediss://…` or `unix:///path`: for `connectRedis`. */
  readonly redisUrl: string;
  /** Unique among all running processes on this Redis, the same after a restart by the supervisor. */
  readonly nodeId: string;
}

export interface RoleContext {
  readonly config: RoleConfig;
  readonly log: Logger;
  readonly running: Running;
}

/** What a child says to the supervisor over IPC. */
export interface ReadyMessage {
  readonly ready: true;
  readonly role: Role;
  readonly pid: number;
}

export const isReadyMessage = (message: unknown): message is ReadyMessage =>
  typeof message === "object" && message !== null && "ready" in message && message.ready === true;

/** A role that refuses to start (settings, machine) exits with this: starting it again would end alike. */
export const REFUSED_EXIT_CODE = 78;

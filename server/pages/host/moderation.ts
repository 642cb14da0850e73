/**
 * What keeps the talk civil, as this page knows it: whom it has muted, who is hidden without knowing, the room's rules. Each
 * deed is the server's first; only what it granted is drawn.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Comment } from "#sdk";
import { ApiRefusal, ServerAway } from "../shared/http.ts";
import type { Actions, Rules } from "./actions.ts";
import { attempt } from "./trouble.tsx";

const MUTE_FOR_MS = 10 * 60_000;

export interface Moderation {
  /** Whom this page has muted; the room tells nobody else's. */
  readonly muted: ReadonlySignal<ReadonlySet<string>>;
  /** Whose comments only they themselves see: viewer id to a name, where one is known. */
  readonly shadowed: ReadonlySignal<ReadonlyMap<string, string>>;
  readonly rules: ReadonlySignal<Rules | undefined>;
  readonly switchMute: (viewerId: string) => Promise<void>;
  readonly switchShadow: (viewerId: string, name: string) => Promise<void>;
  readonly switchPin: (comment: Comment, isPinned: boolean) => Promise<void>;
  readonly remove: (comment: Comment) => Promise<void>;
  /** Changes some rules and leaves the others; another moderator may have set them meanwhile. @throws what a call throws */
  readonly setRules: (change: Partial<Rules>) => Promise<void>;
  readonly load: () => Promise<void>;
}

export function createModeration(actions: Actions): Moderation {
  const muted = signal<ReadonlySet<string>>(new Set());
  const shadowed = signal<ReadonlyMap<string, string>>(new Map());
  const rules = signal<Rules | undefined>(undefined);
  return {
    muted,
    shadowed,
    rules,
    switchMute: async (viewerId) => {
      const isMuted = muted.value.has(viewerId);
      const call = isMuted ? actions.unmute(viewerId) : actions.mute(viewerId, MUTE_FOR_MS);
      if (!(await attempt(call))) return;
      const next = new Set(muted.value);
      if (isMuted) next.delete(viewerId);
      else next.add(viewerId);
      muted.value = next;
    },
    switchShadow: async (viewerId, name) => {
      const isShadowed = shadowed.value.has(viewerId);
      const call = isShadowed ? actions.shadowUnban(viewerId) : actions.shadowBan(viewerId);
      if (!(await attempt(call))) return;
      const next = new Map(shadowed.value);
      if (isShadowed) next.delete(viewerId);
      else next.set(viewerId, name);
      shadowed.value = next;
    },
    switchPin: async ({ no }, isPinned) => {
      await attempt(isPinned ? actions.unpinComment(no) : actions.pinComment(no));
    },
    remove: async ({ no }) => {
      await attempt(actions.deleteComment(no));
    },
    setRules: async (change) => {
      rules.value = await actions.setRules({ ...(await actions.rules()), ...change });
    },
    load: async () => {
      try {
        const [now, { viewerIds }] = await Promise.all([actions.rules(), actions.shadowBanned()]);
        rules.value = now;
        shadowed.value = new Map(viewerIds.map((id) => [id, shadowed.value.get(id) ?? id]));
      } catch (fault) {
        // The line about the connection says the rest; opening the rules asks again.
        if (!(fault instanceof ServerAway || fault instanceof ApiRefusal)) throw fault;
      }
    },
  };
}

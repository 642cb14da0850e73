/**
 * Gets the passes that drops ask for, ahead of their start and by itself: spread out over the time there is, so that a room does not
 * ask in one breath. What is bought later is bought under the key that was prepared.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import { type Drop, SdkFault } from "#sdk";
import type { Room } from "../shared/room.ts";
import { newKey } from "./key.ts";

export interface Passes {
  /** Drop id → how far its pass is; nothing for drops that want none, or none yet. */
  readonly states: ReadonlySignal<ReadonlyMap<string, "preparing" | "ready">>;
  /** The key to buy under: the prepared one, once; else a new one. */
  readonly takeKey: (dropId: string) => string;
}

/** From when on a start is near enough. */
const AHEAD_MS = 60_000;
const LOOK_EVERY_MS = 1000;

export function createPasses(room: Room): Passes {
  const states = signal<ReadonlyMap<string, "preparing" | "ready">>(new Map());
  const keys = new Map<string, string>();

  const set = (dropId: string, state: "preparing" | "ready" | undefined): void => {
    const next = new Map(states.value);
    if (state === undefined) next.delete(dropId);
    else next.set(dropId, state);
    states.value = next;
  };
  const prepare = async ({ dropId }: Drop): Promise<void> => {
    const key = newKey();
    try {
      const { result } = await room.live.prepare(dropId, { key });
      if (result !== "ready") return set(dropId, undefined);
      keys.set(dropId, key);
      set(dropId, "ready");
    } catch (fault) {
      if (!(fault instanceof SdkFault)) throw fault;
      // Tried again at the next look; and buying asks by itself.
      set(dropId, undefined);
    }
  };
  const look = (): void => {
    for (const drop of room.live.state.drops.values()) {
      const leftMs = drop.startsAtMs - room.live.now();
      if (!isDue(drop, leftMs) || states.value.has(drop.dropId)) continue;
      set(drop.dropId, "preparing");
      setTimeout(() => void prepare(drop), (Math.random() * leftMs) / 2);
    }
  };
  look();
  setInterval(look, LOOK_EVERY_MS);
  return {
    states,
    takeKey(dropId) {
      const key = keys.get(dropId) ?? newKey();
      keys.delete(dropId);
      return key;
    },
  };
}

/** Before its start only: after it, whoever taps gets a pass on the way. The draw of a drawn one may be entered at any time before. */
const isDue = ({ admission, state, mode }: Drop, leftMs: number): boolean =>
  (admission === "token" || admission === "proof") &&
  mode === "fcfs" &&
  state === "announced" &&
  leftMs > 0 &&
  leftMs <= AHEAD_MS;

/**
 * Passes for drops that want to see one: asked for under the key of the attempt, worked for where the server asks for a proof, kept
 * until used. Loaded only when a drop needs it.
 */
import type { Body } from "#wire";
import type { Commands } from "./commands.ts";
import { SdkFault } from "./live.ts";
import { solve } from "./proof.ts";

export interface Passes {
  /** Gets a pass for this attempt, or the one it has. `pass` is empty when none is needed, or to be had. */
  get(dropId: string, key: string, anew?: boolean): Promise<Pass>;
  /** Asks with a pass, and with a new one where it did not do. */
  through<A extends { readonly result: string }>(
    dropId: string,
    key: string,
    ask: (pass: string) => Promise<A>,
  ): Promise<A>;
}

export type Pass = Pick<Body<"passAnswered">, "result" | "pass" | "untilMs">;

const WITHIN_MS = 60_000;
const MOST_TRIES = 3;
/** A pass this close to its end is exchanged before it is used. */
const REST_MS = 5000;

/** Of each room. */
const rooms = new WeakMap<Commands, Passes>();

/** @param now server time, ms */
export function passesOf(commands: Commands, now: () => number): Passes {
  const before = rooms.get(commands);
  if (before !== undefined) return before;
  const passes = createPasses(commands, now);
  rooms.set(commands, passes);
  return passes;
}

function createPasses(commands: Commands, now: () => number): Passes {
  /** By drop and key; what failed is not kept. */
  const kept = new Map<string, Promise<Pass>>();

  const fetch = async (dropId: string, key: string): Promise<Pass> => {
    const giveUpAtMs = now() + WITHIN_MS;
    let solved = { challenge: "", nonce: 0 };
    while (now() < giveUpAtMs) {
      const answer = await commands.ask("pass", { dropId, key, ...solved });
      const { result, challenge, bits, retryAfterMs } = answer;
      if (result === "proof") solved = { challenge, nonce: await solve(challenge, bits) };
      else if (result !== "tooFast") return answer;
      else {
        // Everybody was told the same: come back spread out.
        const waitMs = retryAfterMs + Math.random() * Math.max(retryAfterMs, 200);
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
    throw new SdkFault("timeout", true);
  };
  const get = async (dropId: string, key: string, anew = false): Promise<Pass> => {
    const name = `${dropId} ${key}`;
    const before = anew ? undefined : await kept.get(name);
    if (before !== undefined && before.untilMs > now() + REST_MS) return before;
    const fetching = fetch(dropId, key);
    kept.set(name, fetching);
    fetching.catch(() => kept.delete(name));
    return fetching;
  };
  return {
    get,
    async through(dropId, key, askWith) {
      for (let tries = 1; ; tries++) {
        const { pass } = await get(dropId, key, tries > 1);
        const answer = await askWith(pass);
        if (answer.result !== "pass" || tries === MOST_TRIES) return answer;
      }
    },
  };
}

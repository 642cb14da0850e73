/**
 * Keeps a connection right: runs `build` (from nothing) or `renew` (what exists) one at a time, the stronger of what is
 * wanted, and after a failure builds again, with doubling, jittered delay, for as long as it takes.
 */
export type Need = "build" | "renew";

export interface Mender {
  /** Wants it done, no earlier than `delayMs` from now; several wants become one. */
  want(need: Need, delayMs?: number): void;
  /** Resolves after the work under way and all that is due at once. */
  settled(): Promise<void>;
  close(): void;
}

export interface MenderPorts {
  readonly act: (need: Need) => Promise<void>;
  readonly onFailed: (error: unknown) => void;
  /** 0…1; Math.random but in tests. */
  readonly random: () => number;
}

const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 10_000;

export function createMender({ act, onFailed, random }: MenderPorts): Mender {
  let wanted: Need | undefined;
  let dueAtMs = Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let working: Promise<void> | undefined;
  let failures = 0;
  let closed = false;

  const arm = (): void => {
    clearTimeout(timer);
    if (closed || working !== undefined || wanted === undefined) return;
    const delayMs = dueAtMs - performance.now();
    if (delayMs <= 0) working = work();
    else timer = setTimeout(arm, delayMs);
  };
  const want = (need: Need, delayMs = 0): void => {
    // What is renewed on the way of a build has no say in its time.
    if (wanted === "build" && need === "renew") return;
    const atMs = performance.now() + delayMs;
    dueAtMs = wanted === need ? Math.min(dueAtMs, atMs) : atMs;
    wanted = need;
    arm();
  };
  const work = async (): Promise<void> => {
    const need = wanted ?? "renew";
    wanted = undefined;
    dueAtMs = Infinity;
    let delayMs: number | undefined;
    try {
      await act(need);
      failures = 0;
    } catch (error) {
      delayMs = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** failures++) * (0.5 + random() / 2);
      if (!closed) onFailed(error);
    }
    working = undefined;
    if (delayMs !== undefined) {
      // What was wanted meanwhile waits as well: it would most likely fail the same way.
      wanted = undefined;
      want("build", delayMs);
    } else arm();
  };
  const settled = async (): Promise<void> => {
    if (working === undefined) return;
    await working;
    return settled();
  };
  return {
    want,
    settled,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

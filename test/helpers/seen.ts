/**
 * What one client saw, written down from its own events, and judged by the promises of the lanes: R exactly once and in order or a
 * snapshot in its place, S and A never backwards, every comment at most once. Serves real clients and simulated ones.
 */
import type { Live, LiveEvents } from "#sdk";
import { type DownFrame, offsetOf } from "#wire";

/** An event of lane R as the log has it, or as a client saw it. */
interface Event {
  readonly offset: number;
  readonly what: string;
}

/** A stretch without a snapshot: all events after `from`. */
interface Stretch {
  readonly epoch: number;
  readonly from: number;
  readonly events: Event[];
  to: number;
}

export interface Seen {
  readonly stretches: readonly Stretch[];
  /** Breaches that need no comparison, one sentence each. */
  readonly faults: readonly string[];
  readonly resumes: readonly ("caughtUp" | "snapshot")[];
  readonly commentNos: readonly number[];
  /** Ends the watching: what came later is not its business. */
  stop(): void;
}

/** Events of lane R → what the SDK tells the app. Those of others' mutes and of drops long gone are folded silently. */
const TOLD = {
  pinned: "pinned",
  unpinned: "pinned",
  productChanged: "productChanged",
  showStarted: "showChanged",
  showEnded: "showChanged",
  dropAnnounced: "dropAnnounced",
  dropOpened: "dropOpened",
  dropSoldOut: "dropSoldOut",
  dropClosed: "dropClosed",
  dropVoided: "dropVoided",
  dropDrawn: "dropDrawn",
  commentDeleted: "commentDeleted",
  commentPinned: "commentPinned",
  commentUnpinned: "commentPinned",
  slowModeChanged: "slowModeChanged",
} as const satisfies Partial<Record<DownFrame["kind"], keyof LiveEvents>>;

/**
 * Follows a client from here on.
 * @param losesHistory Redis will lose the show's log: then, and only then, may a snapshot be older than what was seen
 */
export function watch(live: Live, losesHistory = false): Seen {
  const { state } = live;
  const faults: string[] = [];
  const stretches: Stretch[] = [];
  const resumes: ("caughtUp" | "snapshot")[] = [];
  const commentNos: number[] = [];
  const stocks = new Map<string, number>();
  let [viewersVersion, totalsVersion, epoch] = [0, 0, 0];
  const begin = (): void => {
    stretches.push({ epoch, from: state.offset, events: [], to: state.offset });
  };
  begin();

  const saw = (what: string): void => {
    const stretch = stretches.at(-1) as Stretch;
    if (state.offset <= stretch.to) faults.push(`${what} at ${state.offset} after ${stretch.to}`);
    stretch.to = state.offset;
    stretch.events.push({ offset: state.offset, what });
  };
  const rises = (what: string, before: number, now: number): void => {
    if (now <= before) faults.push(`${what} went from version ${before} to ${now}`);
  };
  const offs = [...new Set(Object.values(TOLD))].map((event) => live.on(event, () => saw(event)));
  offs.push(
    live.on("stockChanged", ({ dropId, version }) => {
      rises(`stock of ${dropId}`, stocks.get(dropId) ?? -1, version);
      stocks.set(dropId, version);
    }),
    live.on("viewersChanged", () => {
      rises("viewers", viewersVersion, state.viewersVersion);
      viewersVersion = state.viewersVersion;
    }),
    live.on("liked", () => {
      // Own taps are told too, without a new version.
      if (state.totalsVersion < totalsVersion) rises("totals", totalsVersion, state.totalsVersion);
      totalsVersion = state.totalsVersion;
    }),
    live.on("commented", (list) => {
      for (const { no } of list) {
        if (commentNos.includes(no)) faults.push(`comment ${no} twice`);
        commentNos.push(no);
      }
    }),
    live.on("connectionChanged", ({ connection, resumed }) => {
      if (connection !== "live" || resumed === undefined) return;
      resumes.push(resumed);
      const stretch = stretches.at(-1) as Stretch;
      if (resumed === "caughtUp") {
        stretch.to = Math.max(stretch.to, state.offset);
        return;
      }
      if (state.offset < stretch.to && !losesHistory)
        faults.push(`a snapshot of ${state.offset} after event ${stretch.to}`);
      else if (state.offset < stretch.to) {
        epoch++;
        stocks.clear();
        [viewersVersion, totalsVersion] = [0, 0];
        commentNos.length = 0;
      }
      for (const { dropId, version } of state.drops.values()) {
        if (version < (stocks.get(dropId) ?? 0))
          faults.push(`a snapshot took stock of ${dropId} back`);
        stocks.set(dropId, version);
      }
      if (state.totalsVersion < totalsVersion) faults.push("a snapshot took the totals back");
      begin();
    }),
  );
  return {
    stretches,
    faults,
    resumes,
    commentNos,
    stop: () => offs.forEach((off) => off()),
  };
}

/** @param log every event of lane R, in order @returns breaches, one sentence each; none: the client saw each event once */
export function judge(seen: Seen, log: readonly DownFrame[]): readonly string[] {
  const faults = [...seen.faults];
  const newest = seen.stretches.at(-1)?.epoch ?? 0;
  for (const { epoch, from, to, events } of seen.stretches) {
    if (epoch !== newest) continue;
    const expected = log.flatMap((frame) => {
      const offset = offsetOf(frame) as number;
      const what = TOLD[frame.kind as keyof typeof TOLD] as string | undefined;
      return what === undefined || offset <= from || offset > to ? [] : [`${offset} ${what}`];
    });
    const told = events.map(({ offset, what }) => `${offset} ${what}`);
    // "Sold out" is not told to whom stock of a later restock epoch reached first.
    const due = expected.filter((e) => told.includes(e) || !e.endsWith("dropSoldOut"));
    const at = due.findIndex((event, i) => event !== told[i]);
    if (at === -1 && told.length === due.length) continue;
    const place = at === -1 ? due.length : at;
    const some = (list: readonly string[]): string =>
      list.slice(Math.max(0, place - 2), place + 3).join(", ");
    faults.push(`R after ${from}: saw … ${some(told)} …; the log has … ${some(due)} …`);
  }
  return faults;
}

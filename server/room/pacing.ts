/**
 * Keeps every member of a room on the feed it can follow: once a second, between two portions of feed `lite`, it asks `judge` about
 * each, moves who has to be moved, and tells them. Also empties shards that are no longer needed. Cost: one comparison per member
 * and second for whom has just said what it saw, no timer of its own.
 */
import type { Body, Role } from "#wire";
import type { Lanes } from "./lanes.ts";
import type { Feed, Listener, Shards } from "./shards.ts";
import { ECHO_ALLOWANCE_MS, judge, LATE_ECHO_MS } from "./slow.ts";

/** A listener and how it keeps up; the fields are kept here for `Pacing`. */
export interface Paced extends Listener {
  readonly role: Role;
  /** In this process, for this socket. */
  readonly waitingBytes: number;
  feed: Feed;
  /** Newest comment tick that the client says it saw; those that it was not sent count as seen. */
  seenTick: number;
  /** The last one it was sent on the feed before this one. */
  markTick: number;
  changedAtMs: number;
  downs: number;
  /** Echoes in a row that came late. */
  lateEchoes: number;
  echoes: boolean;
  send(name: "feedChanged", body: Body<"feedChanged">): void;
  /** It reads too slowly: resume. */
  lagged(): void;
}

export interface Pacing {
  /** It hears the room from here on. */
  readonly begin: (member: Paced) => void;
  /** @param isEcho not just a beat: from a client that says every few seconds what it saw */
  readonly seen: (member: Paced, tick: number, isEcho: boolean) => void;
  /** After a tick. */
  readonly look: (members: Iterable<Paced>) => void;
}

const LOOK_EVERY_MS = 1000;
const DEPTH: Readonly<Record<Feed, number>> = { crew: 0, full: 0, lite: 1, core: 2 };

/** The first ticks that are not too old yet. */
type Fresh = Readonly<Partial<Record<Feed, number | undefined>>>;

/** It has seen a tick that recent: whatever waits for it is young, and nobody has to ask its socket. */
const isFresh = ({ feed, seenTick, lateEchoes }: Paced, fresh: Fresh): boolean =>
  lateEchoes === 0 && seenTick >= (fresh[feed] ?? Number.POSITIVE_INFINITY);

export function createPacing(
  shards: Pick<Shards, "place" | "tidy" | "isMisplaced">,
  lanes: Pick<Lanes, "ticks" | "timesOf" | "isBetweenLite">,
  nowMs: () => number,
): Pacing {
  let lookedAtMs = nowMs();

  const put = (member: Paced, feed: Feed): void => {
    if (DEPTH[feed] > DEPTH[member.feed]) member.downs++;
    // On the way up it starts afresh: what it was not sent it cannot see.
    else {
      member.seenTick = lanes.ticks;
      member.lateEchoes = 0;
    }
    member.markTick = lanes.timesOf(member.feed).last;
    member.changedAtMs = Math.floor(nowMs());
    member.feed = feed;
    shards.place(member, feed);
    member.send("feedChanged", { feed: feed === "crew" ? "full" : feed });
  };
  const isLate = ({ feed }: Paced, tick: number): boolean => {
    const dueMs = lanes.timesOf(feed).after(tick);
    return dueMs !== undefined && nowMs() - dueMs > LATE_ECHO_MS;
  };
  const verdict = (member: Paced): Feed | "close" => {
    const { feed, waitingBytes, seenTick, markTick, downs, echoes, lateEchoes } = member;
    const dueMs = lanes.timesOf(feed).after(seenTick);
    if (dueMs === undefined && waitingBytes === 0 && DEPTH[feed] === 0) return feed;
    return judge({
      feed,
      isCrew: member.role !== "viewer",
      ageMs: dueMs === undefined ? 0 : nowMs() - dueMs,
      echoes,
      lateEchoes,
      waitingBytes,
      caughtUp: seenTick >= markTick,
      sinceMs: nowMs() - member.changedAtMs,
      downs,
    });
  };
  return {
    begin(member) {
      member.feed = member.role === "viewer" ? "full" : "crew";
      member.seenTick = member.markTick = lanes.ticks;
      member.changedAtMs = Math.floor(nowMs());
      shards.place(member, member.feed);
    },
    seen(member, tick, isEcho) {
      if (isEcho) {
        member.echoes = true;
        // What was on its way when it changed feeds says nothing of the new one.
        if (tick >= member.markTick)
          member.lateEchoes = isLate(member, tick) ? member.lateEchoes + 1 : 0;
      }
      // Nobody has seen what was never sent.
      if (tick <= lanes.ticks) member.seenTick = Math.max(member.seenTick, tick);
    },
    look(members) {
      if (!lanes.isBetweenLite || nowMs() - lookedAtMs < LOOK_EVERY_MS) return;
      lookedAtMs = nowMs();
      const isUneven = shards.tidy();
      const freshMs = nowMs() - ECHO_ALLOWANCE_MS;
      const fresh = {
        full: lanes.timesOf("full").since(freshMs),
        crew: lanes.timesOf("crew").since(freshMs),
      };
      for (const member of members) {
        if (isUneven && shards.isMisplaced(member)) shards.place(member, member.feed);
        if (isFresh(member, fresh)) continue;
        const feed = verdict(member);
        if (feed === "close") member.lagged();
        else if (feed !== member.feed) put(member, feed);
      }
    },
  };
}

/**
 * One show's audience on one node. Joins and catch-ups are served from the mirror in one turn of the loop, before the member
 * hears live frames: nothing can slip between. Comments and reactions are gathered into one append per room.
 */
import type { Body, Comment, NamesGoing } from "#wire";
import { encodeDown } from "#wire/server";
import { createLanes, type Lanes } from "./lanes.ts";
import type { Guard } from "./guard.ts";
import { createMirror, type Mirror } from "./mirror.ts";
import { bridge } from "./bridge.ts";
import { createAhead } from "./ahead.ts";
import { createEchoes } from "./echoes.ts";
import { createMembers, type Linked } from "./members.ts";
import { createPresence } from "./presence.ts";
import type { Gate } from "./moderation/gate.ts";
import { createOverdue } from "./overdue.ts";
import { createPace } from "./pace.ts";
import { createPacing, type Paced } from "./pacing.ts";
import { createReacting } from "./reacting.ts";
import { createShards, type Feed } from "./shards.ts";
import { type CommentAnswer, createSpeaking } from "./speaking.ts";
import { startTicking } from "./ticking.ts";
import type { Turns } from "./turns.ts";
import type { NewComment, NewReaction, RoomWrites } from "./writes.ts";

/** One connection that has joined. */
export interface Member extends Paced, Linked<Member> {
  send<N extends NamesGoing<"down">>(name: N, body: Body<N>): void;
  /** Packed frames as they are (turned into text for members that speak JSON). */
  sendFrame(bytes: Uint8Array): void;
  /** The room cannot be served any more: come back later. */
  lose(): void;
  /** The host has had enough of this viewer. */
  removed(): void;
}

export interface RoomPorts {
  readonly show: string;
  readonly node: string;
  /** The shortest tick; it widens under load. */
  readonly tickMs: number;
  readonly guard: Guard;
  readonly gate: Gate;
  readonly writes: RoomWrites;
  readonly turns: Turns;
  readonly nowMs: () => number;
  readonly chance: () => number;
  /** From the log's append of comments to their being here, ms. */
  readonly onFannedOut: (ms: number) => void;
  /** @param isLost Redis tells another history of the show */
  readonly onClosed: (isLost: boolean) => void;
}

/** How far somebody has read; epoch "": not at all. */
interface Position {
  readonly epoch: string;
  readonly offset: number;
}

export interface Room {
  readonly show: string;
  readonly mirror: Pick<Mirror, "state" | "epoch" | "mutedUntilMs" | "hasOrder" | "orders">;
  readonly guard: Omit<Guard, "reader" | "opened">;
  readonly lanes: Pick<Lanes, "receipt" | "ticks">;
  /** Distinct viewers on this node. */
  readonly viewers: number;
  /** Connections by what they hear of lane V. */
  readonly heardBy: (feed: Feed) => number;
  /** Was sent away for good. */
  readonly isRemoved: (viewerId: string) => boolean;
  /** The tick's present length. */
  readonly tickMs: number;
  /** Sends the way in: welcome, then what was missed or a snapshot, own orders, joined. */
  join(member: Member, position: Position): void;
  leave(member: Member): void;
  /** Everything after `offset`, or a snapshot in its place. */
  catchUp(member: Member, offset: number): void;
  /** The member says which comment tick it has seen. */
  seen(member: Member, tick: number): void;
  /** It lives, and says how far it has read: what it should have by then and has not goes out again. */
  beat(member: Member, read: { readonly offset: number; readonly tick: number }): void;
  /** It stands already: accepted here or on another node. */
  readonly hasSaid: (viewerId: string, client: string, seq: number) => boolean;
  /** Says it, if the room's rules let its author. @param sinceMs of the author's first token for this show */
  comment(comment: Omit<NewComment, "isHidden">, sinceMs: number): Promise<CommentAnswer>;
  react(reaction: NewReaction): Promise<void>;
  /** Ends the room on this node: its members are told to come back, its lease on them is given up. */
  close(): Promise<void>;
}

const monotonicMs = (): number => performance.now();

const PRESENCE_EVERY_MS = 1000;
/** How long an empty room is kept warm. */
const LINGER_MS = 10_000;

export function createRoom(ports: RoomPorts): Room {
  const { show, node, guard, gate, writes, turns, nowMs } = ports;
  const { opened, reader } = guard;
  const members = createMembers<Member>();
  const pace = createPace(ports.tickMs);
  const shards = createShards({
    room: show,
    turns,
    nowMs: monotonicMs,
    onFlushed: (tookMs) => pace.took(Math.max(tookMs, ticking.lateMs)),
  });
  const lanes = createLanes({ shards, chance: ports.chance, nowMs });
  const pacing = createPacing(shards, lanes, monotonicMs);
  const mirror = createMirror(opened, {
    onEvent: lanes.event,
    onState: lanes.state,
    onTotals: lanes.totals,
    onComments({ atMs, comments: list, spoken }) {
      lanes.comments(list);
      echoes.said(list);
      speaking.said(spoken);
      gate.heard(spoken, atMs);
      ports.onFannedOut(nowMs() - atMs);
    },
    onHidden({ atMs, comments: list, spoken }) {
      echoes.hid(list);
      speaking.said(spoken);
      gate.heard(spoken, atMs);
    },
    onModeration: (bytes) => sendAway(gate.take(bytes)),
    onKept(viewerId, kept) {
      for (const member of members.of(viewerId)) member.send("couponsKept", kept);
    },
    onOrder(viewerId, order) {
      if (!members.has(viewerId)) return;
      const bytes = encodeDown("orderChanged", order);
      for (const member of members.of(viewerId)) member.sendFrame(bytes);
    },
  });
  const sendAway = (viewerId = ""): void =>
    Array.from(members.of(viewerId)).forEach((member) => member.removed());
  const sendComments = (member: Member, list: readonly Comment[]): void =>
    member.send("comments", {
      tick: lanes.ticks,
      atMs: Math.floor(nowMs()),
      accepted: 0,
      skipped: 0,
      thinned: 0,
      upTo: 0,
      comments: list,
    });
  const echoes = createEchoes({ here: members.of, isHere: members.has, send: sendComments });
  echoes.keep(opened.history);
  const speaking = createSpeaking(show, gate, writes);
  speaking.keep(opened.history);
  const reacting = createReacting(show, writes);

  let emptySinceMs = nowMs();
  let closed = false;
  const unfollow = reader.follow(show, opened.lastId, (entries) => {
    mirror.take(entries);
    ahead.reached(mirror.state.offset);
  });
  const ticking = startTicking(pace, monotonicMs, () => {
    const shown = lanes.tick();
    if (shown === undefined) return;
    echoes.tick(shown);
    pacing.look(members.all());
  });
  const presence = createPresence({
    show,
    node,
    tell: writes.presence,
    here: () => members.ids(),
  });
  const reporting = setInterval(() => void report(), PRESENCE_EVERY_MS);

  const report = async (): Promise<void> => {
    const isLeft = members.viewers === 0 && nowMs() - emptySinceMs > LINGER_MS;
    if (isLeft && speaking.isIdle && reacting.isIdle) return leaveShow(false);
    // As of before the question: while we wait the log goes on, and the mirror with it.
    const seen = mirror.state.offset;
    const waiting = ahead.waiting();
    ahead.expire();
    try {
      const told = await presence.report();
      if (closed || told === undefined) return;
      // Another history than the one we follow: Redis lost its data, or was swapped under us.
      if (told.epoch !== mirror.epoch || told.offset < seen) await leaveShow(true);
      else ahead.told(waiting, told.offset);
    } catch {
      // Redis is away; its connection has said so, and the lease runs out by itself if that lasts.
    }
  };

  /** Nobody may come in while the lease is given up, which takes as long as Redis takes. */
  const leaveShow = async (isLost: boolean): Promise<void> => {
    ports.onClosed(isLost);
    await close();
  };
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    ticking.stop();
    clearInterval(reporting);
    lanes.stop();
    gate.stop();
    unfollow();
    for (const member of members.all()) member.lose();
    for (const member of ahead.waiting()) member.lose();
    members.clear();
    reacting.stop();
    // If this fails the lease ends by itself.
    await presence.end().catch(() => undefined);
  };

  const whole = { mirror, echoes, sendComments, nowMs };
  const enter = (member: Member, position: Position): void => {
    const events =
      position.epoch === mirror.epoch ? mirror.eventsAfter(position.offset) : undefined;
    member.send("welcome", {
      serverAtMs: Math.floor(nowMs()),
      epoch: mirror.epoch,
      offset: mirror.state.offset,
      tick: lanes.ticks,
      viewerId: member.viewerId,
      role: member.role,
      resumed: events !== undefined,
    });
    bridge(member, events, whole);
    pacing.begin(member);
    if (!members.has(member.viewerId)) presence.came(member.viewerId);
    members.add(member);
  };
  const catchUp = (member: Member, offset: number): void => {
    // Live frames on their way to it go first: after the answer they would come twice.
    shards.settle(member);
    bridge(member, mirror.eventsAfter(offset), whole);
  };
  const isOverdue = createOverdue(() => mirror.state.offset, monotonicMs);
  const ahead = createAhead<Member>({
    letIn: (member, offset) => enter(member, { epoch: mirror.epoch, offset }),
    sendOn: (member) => member.lose(),
    nowMs,
  });

  return {
    show,
    mirror,
    guard,
    lanes,
    get viewers() {
      return members.viewers;
    },
    heardBy: shards.size,
    isRemoved: gate.isRemoved,
    get tickMs() {
      return pace.tickMs;
    },
    join(member, position) {
      // It ended while the member was on its way in.
      if (closed) member.lose();
      else if (position.epoch === mirror.epoch && position.offset > mirror.state.offset)
        ahead.wait(member, position.offset);
      else enter(member, position);
    },
    leave(member) {
      ahead.leave(member);
      shards.remove(member);
      if (members.remove(member)) presence.left(member.viewerId);
      if (members.viewers === 0) emptySinceMs = nowMs();
    },
    seen: (member, tick) => pacing.seen(member, tick, true),
    beat(member, { offset, tick }) {
      pacing.seen(member, tick, false);
      if (isOverdue(offset)) catchUp(member, offset);
    },
    catchUp,
    hasSaid: speaking.has,
    comment: speaking.comment,
    react: reacting.react,
    close,
  };
}

/**
 * What the shop's back end is told: the kinds of events, and one outbox entry (see derive.lua) as the requests to send.
 * An event's id follows from what it says, so the same news, told again by a resync or a replay, has the same id.
 */
import { createHash } from "node:crypto";
import { rawOf } from "#wire";

export const EVENT_TYPES = [
  "order.held",
  "order.paid",
  "order.expired",
  "order.cancelled",
  "order.refunded",
  "drop.opened",
  "drop.sold_out",
  "show.started",
  "show.ended",
  "gap",
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** An event as it lies in the outbox. */
export interface OutboxEvent {
  /** Its place among the show's events: from 1, dense. */
  readonly no: number;
  /** The outbox entry that holds it. */
  readonly entryId: string;
  readonly id: string;
  readonly type: EventType;
  /** Events of one lane are delivered in order: of one order, of one drop, of the show. */
  readonly lane: string;
  readonly dropId: string | undefined;
  readonly atMs: number;
  readonly isResync: boolean;
  readonly facts: Facts;
}

type Facts = readonly (string | number)[];

/** What is known of a show and its drops besides the event: it never changes once a drop is made. */
export interface Surroundings {
  readonly title: string;
  readonly currency: string;
  readonly dropOf: (dropId: string) => DropFacts | undefined;
}

export interface DropFacts {
  readonly sku: string;
  readonly title: string;
  readonly priceCents: number;
  readonly allotment: number;
  readonly perBuyerLimit: number;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
}

export type RawEntry = readonly [id: Buffer, fields: readonly Buffer[]];

/** @returns the entry's events, in order */
export function readEvents(show: string, [rawId, fields]: RawEntry): OutboxEvent[] {
  const entryId = rawId.toString();
  const first = Number(fields[1]?.toString());
  const [derivedAtMs, isResync, raw] = rawOf(fields[3] as Buffer) as [
    number,
    boolean,
    [EventType, ...Facts][],
  ];
  return raw.map(([type, ...facts], i) => ({
    no: first + i,
    entryId,
    id: idOf(show, type, facts),
    type,
    lane: laneOf(type, facts),
    dropId: dropIdOf(type, facts),
    atMs: atMsOf(type, facts) ?? derivedAtMs,
    isResync,
    facts,
  }));
}

/** The number of the entry's first event, without reading the events. */
export const firstNoOf = ([, fields]: RawEntry): number => Number(fields[1]?.toString());

/** The show that an event id names; undefined when it is none of ours. */
export const showOfEvent = (id: string): string | undefined =>
  /^([A-Za-z0-9_-]{1,40})\.[\w-]{24}$/.exec(id)?.[1];

function idOf(show: string, type: EventType, facts: Facts): string {
  const [dropId = "", , restockEpoch = ""] = facts;
  const told = type.startsWith("drop.")
    ? [dropId, restockEpoch]
    : type.startsWith("show.")
      ? []
      : facts;
  const hash = createHash("sha256").update(JSON.stringify([show, type, ...told]));
  return `${show}.${hash.digest("base64url").slice(0, 24)}`;
}

function laneOf(type: EventType, facts: Facts): string {
  if (type.startsWith("order.")) return `order|${facts[0]}|${facts[1]}`;
  return type.startsWith("drop.") ? `drop|${facts[0]}` : "show";
}

function dropIdOf(type: EventType, facts: Facts): string | undefined {
  if (type.startsWith("order.")) return String(facts[2]);
  return type.startsWith("drop.") ? String(facts[0]) : undefined;
}

/** Orders carry no time of their own in the log: theirs is when they were derived, a moment later. */
function atMsOf(type: EventType, facts: Facts): number | undefined {
  if (type.startsWith("drop.")) return Number(facts[1]);
  return type.startsWith("show.") ? Number(facts[0]) : undefined;
}

/** The request's body: `{id, type, show, atMs, data}`. */
export function bodyOf(show: string, event: OutboxEvent, around: Surroundings): string {
  const { id, type, atMs, isResync } = event;
  const data = { ...dataOf(event, around), ...(isResync ? { resync: true } : {}) };
  return JSON.stringify({ id, type, show, atMs, data });
}

function dataOf({ type, facts, dropId }: OutboxEvent, around: Surroundings): object {
  const { title, currency } = around;
  if (type === "gap") return { fromId: facts[0], toId: facts[1] };
  if (dropId === undefined) return { title, currency };
  const drop = around.dropOf(dropId);
  if (type.startsWith("order.")) {
    const [
      viewerId,
      holdId,
      ,
      quantity,
      state,
      deadlineMs,
      amountCents,
      orderId,
      version,
      discountCents,
      flags,
    ] = facts;
    return {
      orderId: orderId === "" ? null : orderId,
      holdId,
      viewerId,
      dropId,
      sku: drop?.sku,
      title: drop?.title,
      quantity,
      amountCents,
      discountCents,
      currency,
      state,
      deadlineMs,
      version,
      flags: flags === undefined ? [] : String(flags).split(","),
    };
  }
  return { dropId, ...drop, currency, restockEpoch: facts[2] };
}

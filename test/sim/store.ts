/**
 * One show as Redis keeps it: a model in memory of what the Lua scripts of `server/room` and `server/shop` do, for one drop. Under test
 * are the client and the gateway; the scripts have tests of their own, on a real Redis. Every operation is atomic, as there.
 */
import { type Comment, type DownFrame, type Drop, emptyRoom, fold, ORDER, type Order } from "#wire";
import { encodeDown, packValue } from "#wire/server";
import type { LogEntry, LogField } from "../../server/room/log.ts";
import type { OpenedShow } from "../../server/room/open.ts";
import type {
  NewComment,
  NewReaction,
  PresenceChange,
  PresenceTold,
} from "../../server/room/writes.ts";
import type { DropAnswer, DropRequest } from "../../server/shop/inventory.ts";

export const SHOW = "show";
export const DROP = "drop";
const LEASE_MS = 3500;
const PER_BUYER = 3;

/** What a host does, without its offset. */
export type Deed = DownFrame extends infer F
  ? F extends { readonly offset: number }
    ? Omit<F, "offset">
    : never
  : never;

export interface Model {
  readonly room: ReturnType<typeof emptyRoom>;
  readonly entries: readonly LogEntry[];
  /** Lane R alone. */
  readonly events: readonly DownFrame[];
  readonly comments: readonly (readonly [Comment, NewComment])[];
  /** By `viewerId|key`. */
  readonly holds: ReadonlyMap<string, Order>;
  announce(deed: Deed): void;
  restock(units: number): void;
  comment(list: readonly NewComment[]): readonly number[];
  react(list: readonly NewReaction[]): number;
  presence(node: string, change: PresenceChange): PresenceTold;
  decide(requests: readonly DropRequest[]): readonly DropAnswer[];
  open(): OpenedShow;
  /** Entries after this one, at most so many. */
  after(id: string, most: number): readonly LogEntry[];
  /** Called whenever there is something new. */
  onAppended: () => void;
}

const tell = (field: LogField, bytes: Uint8Array): readonly [LogField, Buffer] => [
  field,
  Buffer.from(bytes),
];

export function createModel(nowMs: () => number, units: number): Model {
  const room = { ...emptyRoom(), title: "茶", offset: 1 };
  const entries: LogEntry[] = [];
  const events: DownFrame[] = [];
  const comments: [Comment, NewComment][] = [];
  const applied = new Map<string, number>();
  const holds = new Map<string, Order>();
  const deleted = new Set<number>();
  const leases = new Map<string, { untilMs: number; readonly ids: Set<string> }>();
  let [sub, version] = [0, 0];

  const append = (isEvent: boolean, fields: LogEntry["fields"]): void => {
    sub = isEvent ? 0 : sub + 1;
    entries.push({ id: `${room.offset}-${sub}`, offset: room.offset, fields });
    model.onAppended();
  };
  const announce = (deed: Deed): void => {
    const frame = { ...deed, offset: room.offset + 1 } as DownFrame & { readonly offset: number };
    fold(room, frame);
    if (frame.kind === "commentDeleted") deleted.add(frame.commentNo);
    events.push(frame);
    append(true, [tell("R", encodeDown(frame.kind as "pinned", frame as never))]);
    const [, , , oldest] = room.pinned;
    if (oldest !== undefined) announce({ kind: "unpinned", sku: oldest });
  };
  const drop = (): Drop => room.drops.get(DROP) as Drop;
  /** Moves stock and tells of it, with the order that it is about. */
  const move = (change: Partial<Drop>, viewerId?: string, order?: Order): void => {
    const next = { ...drop(), ...change, version: drop().version + 1 };
    room.drops.set(DROP, next);
    const fields = [tell("S", encodeDown("stockChanged", next))];
    if (viewerId !== undefined && order !== undefined) {
      holds.set(`${viewerId}|${order.holdId}`, order);
      const names = Object.keys(ORDER_FIELDS) as (keyof Order)[];
      fields.push(tell("O", packValue([[viewerId, ...names.map((name) => order[name])]])));
    }
    append(false, fields);
  };
  const once = (mark: string, seq: number): boolean => {
    if (seq <= (applied.get(mark) ?? 0)) return false;
    applied.set(mark, seq);
    return true;
  };
  const hold = ({ viewerId, key, quantity, restockEpoch: asked = -1 }: DropRequest): DropAnswer => {
    const known = holds.get(`${viewerId}|${key}`);
    if (known !== undefined) return ["held", known.deadlineMs, known.quantity];
    const { available, held, restockEpoch, state } = drop();
    if (asked >= 0 && asked < restockEpoch) return ["soldOut", restockEpoch];
    if (available < quantity)
      return asked === restockEpoch && available === 0
        ? ["soldOut", restockEpoch, 1]
        : ["soldOut", restockEpoch];
    const own = [...holds].filter(
      ([id, { state: s }]) => id.startsWith(`${viewerId}|`) && s === "held",
    );
    if (own.length >= PER_BUYER) return ["limit", PER_BUYER];
    const order: Order = {
      holdId: key,
      dropId: DROP,
      quantity,
      state: "held",
      deadlineMs: Math.floor(nowMs()) + 9e6,
      amountCents: 1,
      orderId: "",
      version: ++version,
      ticket: 0,
      discountCents: 0,
    };
    const left = available - quantity;
    move({ available: left, held: held + quantity }, viewerId, order);
    const atMs = Math.floor(nowMs());
    if (left === 0 && state === "open")
      announce({ kind: "dropSoldOut", dropId: DROP, atMs, restockEpoch, answersTaps: true });
    return ["held", order.deadlineMs, quantity];
  };
  const cancel = ({ viewerId, key }: DropRequest): DropAnswer => {
    const order = holds.get(`${viewerId}|${key}`);
    if (order === undefined) return ["notHeld"];
    if (order.state === "cancelled") return ["cancelled"];
    const { available, held, restockEpoch, state } = drop();
    const reopens = available === 0;
    move(
      {
        available: available + order.quantity,
        held: held - order.quantity,
        restockEpoch: restockEpoch + (reopens ? 1 : 0),
        state: reopens ? "open" : state,
      },
      viewerId,
      { ...order, state: "cancelled", version: ++version },
    );
    return ["cancelled"];
  };

  const model: Model = {
    room,
    entries,
    events,
    comments,
    holds,
    announce,
    onAppended: () => undefined,
    restock(more) {
      const { available, restockEpoch } = drop();
      move(
        available > 0
          ? { available: available + more }
          : { available: more, restockEpoch: restockEpoch + 1, state: "open" },
      );
    },
    comment(list) {
      const said: unknown[] = [];
      const numbers = list.map((c) => {
        if (!once(`${c.viewerId}|${c.client}|c`, c.seq)) return 0;
        const no = comments.length + 1;
        const { viewerId, name, role, text } = c;
        comments.push([{ no, viewerId, name, role, text, count: 1 }, c]);
        said.push([no, viewerId, name, role, text, c.client, c.seq]);
        return no;
      });
      if (said.length > 0) append(false, [tell("V", packValue([Math.floor(nowMs()), said]))]);
      return numbers;
    },
    react(list) {
      const fresh = list.filter((r) => once(`${r.viewerId}|${r.client}|r`, r.seq));
      if (fresh.length === 0) return 0;
      for (const { likes, shares } of fresh) {
        room.likes += likes;
        room.shares += shares;
      }
      room.totalsVersion++;
      const { likes, shares, totalsVersion } = room;
      append(false, [tell("A", encodeDown("totals", { version: totalsVersion, likes, shares }))]);
      return fresh.length;
    },
    presence(node, { mode, came, left }) {
      const before = mode === "changes" ? leases.get(node)?.ids : undefined;
      const ids = before ?? new Set<string>();
      for (const id of came) ids.add(id);
      for (const id of left) ids.delete(id);
      if (mode === "end") leases.delete(node);
      else leases.set(node, { untilMs: nowMs() + LEASE_MS, ids });
      for (const [other, { untilMs }] of leases) if (untilMs <= nowMs()) leases.delete(other);
      const viewers = new Set([...leases.values()].flatMap((lease) => [...lease.ids])).size;
      if (viewers !== room.viewers) {
        room.viewers = viewers;
        const frame = { version: ++room.viewersVersion, count: viewers };
        append(false, [tell("S", encodeDown("viewersChanged", frame))]);
      }
      const known = leases.get(node)?.ids.size ?? 0;
      return { viewers, epoch: "epoch", offset: room.offset, known };
    },
    decide: (requests) => requests.map((r) => (r.what === "hold" ? hold(r) : cancel(r))),
    open() {
      const recent = comments
        .flatMap(([comment]) => (deleted.has(comment.no) ? [] : [comment]))
        .slice(-50);
      return {
        epoch: "epoch",
        state: { ...structuredClone(room), comments: recent },
        orders: [...holds].map(([id, order]) => [id.split("|")[0] as string, order]),
        kept: [],
        muted: [],
        history: entries.slice(-HISTORY),
        moderation: { rules: {}, shadowed: [], removed: [] },
        guarded: [],
        lastId: entries.at(-1)?.id ?? "0-0",
      };
    },
    after(id, most) {
      const [offset = 0, n = 0] = id.split("-").map(Number);
      let from = entries.length;
      while (from > 0) {
        const [o = 0, m = 0] = (entries[from - 1] as LogEntry).id.split("-").map(Number);
        if (o < offset || (o === offset && m <= n)) break;
        from--;
      }
      return entries.slice(from, from + most);
    },
  };
  announce({
    kind: "dropAnnounced",
    drop: {
      dropId: DROP,
      sku: "tea",
      title: "茶",
      priceCents: 1,
      wasCents: 2,
      allotment: units,
      perBuyerLimit: PER_BUYER,
      holdMs: 9e6,
      startsAtMs: 1,
      endsAtMs: 9e12,
      state: "open",
      version: 1,
      available: units,
      held: 0,
      sold: 0,
      restockEpoch: 0,
      mode: "fcfs",
      seedHash: "",
      waitlisted: 0,
      waitServed: 0,
      admission: "open",
    },
  });
  return model;
}

/** A short memory, so that snapshots are needed too. */
const HISTORY = 120;
const ORDER_FIELDS = (ORDER as unknown as { readonly fields: Record<keyof Order, unknown> }).fields;

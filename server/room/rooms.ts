/** The rooms of one node, opened at the first join and closed when they have been empty for a while. */
import { createGuard, type GuardPorts } from "./guard.ts";
import type { LogReader } from "./log.ts";
import { lostOrders } from "./lost.ts";
import { openGate } from "./moderation/gate.ts";
import type { OpenedShow } from "./open.ts";
import { createRoom, type Room, type RoomPorts } from "./room.ts";

export interface Rooms {
  /** @returns undefined when there is no such show @throws when Redis did not answer */
  readonly open: (show: string) => Promise<Room | undefined>;
  /** The room if it is open here. */
  readonly at: (show: string) => Room | undefined;
  all(): IterableIterator<readonly [show: string, room: Room]>;
  closeAll(): Promise<void>;
}

export interface RoomsPorts
  extends
    Pick<RoomPorts, "node" | "tickMs" | "turns" | "writes" | "nowMs" | "chance" | "onFannedOut">,
    Pick<GuardPorts, "journal" | "reach"> {
  /** Reads a whole show, see open.ts. */
  readonly read: (show: string) => Promise<OpenedShow | undefined>;
  readonly reader: LogReader;
}

export function createRooms({ read, journal, reach, ...ports }: RoomsPorts): Rooms {
  const rooms = new Map<string, Room>();
  const opening = new Map<string, Promise<Room | undefined>>();
  /** Rooms of a history that is no more, until their show is opened anew. */
  const before = new Map<string, Room>();

  const open = async (show: string): Promise<Room | undefined> => {
    const there = await read(show);
    if (there === undefined) return undefined;
    const opened = { ...there, orders: [...there.orders, ...lostOrders(before.get(show), there)] };
    before.delete(show);
    const gate = await openGate(opened.moderation, ports.nowMs);
    const guard = createGuard({ show, opened, reader: ports.reader, journal, reach });
    const room = createRoom({
      ...ports,
      show,
      guard,
      gate,
      onClosed(isLost) {
        if (rooms.get(show) === room) rooms.delete(show);
        if (isLost) before.set(show, room);
      },
    });
    rooms.set(show, room);
    return room;
  };
  return {
    async open(show) {
      const there = rooms.get(show);
      if (there !== undefined) return there;
      let promise = opening.get(show);
      if (promise === undefined) {
        promise = open(show).finally(() => opening.delete(show));
        opening.set(show, promise);
      }
      return promise;
    },
    at: (show) => rooms.get(show),
    all: () => rooms.entries(),
    async closeAll() {
      await Promise.all([...rooms.values()].map((room) => room.close()));
      rooms.clear();
    },
  };
}

/** The room, put together: picture, what is on sale, talk, bag, and the one sheet for buying. */
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { useSignal, useSignalEffect } from "@preact/signals";
import type { Room } from "../shared/room.ts";
import { Announcer } from "./announcer.tsx";
import { BagPanel, BagSheet } from "./bag.tsx";
import { createBuying } from "./buying.ts";
import { BuySheet } from "./buy-sheet.tsx";
import { createCoupons } from "./coupons.ts";
import { Comments } from "./comments.tsx";
import { createTalk } from "./talk.ts";
import { Dock } from "./dock.tsx";
import { NoticeLine } from "./notice.tsx";
import { Showcase } from "./showcase.tsx";
import { Stage } from "./stage.tsx";

export function RoomPage(props: { room: Room }): JSX.Element {
  const { room } = props;
  const buying = useMemo(() => createBuying(room), [room]);
  const coupons = useMemo(() => createCoupons(room), [room]);
  const talk = useMemo(() => createTalk(room), [room]);
  useSignalEffect(() => {
    document.title = room.title.value;
  });
  const isBagOpen = useSignal(false);
  const openBag = (): void => {
    buying.dismiss();
    isBagOpen.value = true;
  };
  return (
    <main class="room">
      <Stage room={room} />
      <aside class="bag-column">
        <BagPanel room={room} buying={buying} />
      </aside>
      <div class="lower">
        <Comments room={room} talk={talk} />
        <Showcase room={room} buying={buying} coupons={coupons} />
        <Dock room={room} talk={talk} onBag={openBag} />
      </div>
      <NoticeLine />
      <BagSheet room={room} buying={buying} isOpen={isBagOpen} />
      <BuySheet room={room} buying={buying} onBag={openBag} />
      <Announcer room={room} />
    </main>
  );
}

/** The console, put together: picture to the left, sale in the middle, talk to the right, figures below. */
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { Room } from "../shared/room.ts";
import type { Actions } from "./actions.ts";
import { createCamera } from "./camera.ts";
import { CameraPanel } from "./camera-panel.tsx";
import { CommentsPanel } from "./comments-panel.tsx";
import { CouponsPanel } from "./coupons-panel.tsx";
import { DropForm } from "./drop-form.tsx";
import { createDraft } from "./drop-draft.ts";
import { DropPanel } from "./drop-panel.tsx";
import { Head } from "./head.tsx";
import { Metrics } from "./metrics.tsx";
import { OrdersPanel } from "./orders-panel.tsx";
import { ProductsPanel } from "./products-panel.tsx";
import { createSales } from "./sales.ts";
import { TroubleLine } from "./trouble.tsx";
import { say } from "./words.ts";

export function Console(props: { room: Room; actions: Actions }): JSX.Element {
  const { room, actions } = props;
  const camera = useMemo(() => createCamera(room, actions), [room, actions]);
  const draft = useMemo(() => createDraft(room), [room]);
  const sales = useMemo(() => createSales(room, actions), [room, actions]);
  useEffect(() => sales.follow(), [sales]);
  return (
    <div class="console">
      <Head room={room} actions={actions} camera={camera} />
      {room.connection.value !== "live" && (
        <p class="console-away" role="status">
          <span class="spinner" />
          {say("away")}
        </p>
      )}
      <main class="console-columns">
        <CameraPanel room={room} camera={camera} />
        <div class="console-sale">
          <DropPanel room={room} actions={actions} />
          <DropForm room={room} actions={actions} draft={draft} />
          <ProductsPanel room={room} actions={actions} draft={draft} />
          <CouponsPanel room={room} actions={actions} />
          <OrdersPanel room={room} actions={actions} sales={sales} />
        </div>
        <CommentsPanel room={room} actions={actions} />
      </main>
      <Metrics room={room} sales={sales} />
      <TroubleLine />
    </div>
  );
}

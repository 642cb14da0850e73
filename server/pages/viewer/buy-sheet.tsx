/** Buying in one sheet with changing faces: choose, reserving, the hold and what became of it, or why not. */
import type { JSX } from "preact";
import type { Drop, Order } from "#sdk";
import type { Room } from "../shared/room.ts";
import { Sheet } from "../shared/sheet.tsx";
import type { Buying, Face } from "./buying.ts";
import { AskingFace } from "./asking-face.tsx";
import { ChooseFace } from "./choose-face.tsx";
import { OrderFace } from "./order-face.tsx";
import { RefusedFace } from "./refused-face.tsx";
import { say } from "./words.ts";

export interface FaceProps {
  readonly drop: Drop;
  readonly room: Room;
  readonly buying: Buying;
  readonly onBag: () => void;
}

export function BuySheet(props: { room: Room; buying: Buying; onBag: () => void }): JSX.Element {
  const { room, buying, onBag } = props;
  const face = buying.face.value;
  const order = face.kind === "order" ? room.orders.value.get(face.holdId) : undefined;
  const drop = room.drops.value.get(order?.dropId ?? ("dropId" in face ? face.dropId : ""));
  return (
    <Sheet
      isOpen={face.kind !== "none"}
      label={drop === undefined ? say("buy") : say("dropLabel", { title: drop.title })}
      onClose={buying.dismiss}
      class="buy-sheet"
    >
      {drop && faceOf(face, order, { drop, room, buying, onBag })}
    </Sheet>
  );
}

function faceOf(face: Face, order: Order | undefined, common: FaceProps): JSX.Element | null {
  switch (face.kind) {
    case "none":
      return null;
    case "choose":
      return <ChooseFace {...common} />;
    case "asking":
      return <AskingFace {...common} />;
    case "refused":
      return <RefusedFace {...common} why={face.why} />;
    case "order":
      return order === undefined ? null : <OrderFace {...common} order={order} />;
  }
}

/** What a screen reader hears: drop announced, opened, sold out politely; one's own hold and its last 30 s at once. */
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { clock } from "../shared/figures.ts";
import type { Room } from "../shared/room.ts";
import { say } from "./words.ts";

const WARN_AT_MS = [30_000, 10_000];

export function Announcer(props: { room: Room }): JSX.Element {
  const { room } = props;
  const polite = useSignal("");
  const urgent = useSignal("");
  useEffect(() => {
    const { live } = room;
    const warned = new Set<string>();
    const offs = [
      live.on("dropAnnounced", (drop) => {
        polite.value = say("sayAnnounced", {
          title: drop.title,
          clock: clock(drop.startsAtMs - live.now()),
        });
      }),
      live.on("dropOpened", (drop) => {
        polite.value = say("sayOpened", { title: drop.title });
      }),
      live.on("dropSoldOut", (drop) => {
        polite.value = say("saySoldOut", { title: drop.title });
      }),
      live.on("orderChanged", (order) => {
        const title = live.state.drops.get(order.dropId)?.title ?? "";
        if (order.state === "held")
          urgent.value = say("sayHeld", { title, clock: clock(order.deadlineMs - live.now()) });
      }),
      room.nowMs.subscribe((nowMs) => {
        for (const order of live.state.orders.values()) {
          if (order.state !== "held") continue;
          for (const leftMs of WARN_AT_MS) {
            const name = `${order.holdId}/${leftMs}`;
            const left = order.deadlineMs - nowMs;
            if (left > leftMs || left < leftMs - 2000 || warned.has(name)) continue;
            warned.add(name);
            urgent.value = say("sayLast", { n: leftMs / 1000 });
          }
        }
      }),
    ];
    return () => {
      for (const off of offs) off();
    };
  }, [room, polite, urgent]);
  return (
    <div class="unseen">
      <p aria-live="polite">{polite}</p>
      <p aria-live="assertive">{urgent}</p>
    </div>
  );
}

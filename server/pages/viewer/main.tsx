/** The viewer page: /watch/:show. Draws what `entry` says: joining, the room, or why there is none. */
import { type JSX, render } from "preact";
import { enter, entry } from "./entry.ts";
import { Doorstep } from "./doorstep.tsx";
import { RoomPage } from "./room-page.tsx";

function Watch(): JSX.Element {
  const now = entry.value;
  return now.step === "in" ? (
    <RoomPage room={now.room} key={now.room.me} />
  ) : (
    <Doorstep entry={now} />
  );
}

const page = document.querySelector("#page");
if (page === null) throw new Error("watch.html has no #page");
render(<Watch />, page);
void enter();

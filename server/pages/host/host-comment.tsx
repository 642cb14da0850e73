/** The host's own line into the room. */
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { SdkFault } from "#sdk";
import { Icon } from "../shared/icons.tsx";
import type { Room } from "../shared/room.ts";
import { tell } from "./trouble.tsx";
import { say } from "./words.ts";

const MAX_COMMENT_CHARS = 200;

export function HostComment(props: { room: Room }): JSX.Element {
  const { room } = props;
  const text = useSignal("");
  const send = async (): Promise<void> => {
    const words = text.value.trim();
    if (words === "") return;
    text.value = "";
    try {
      await room.live.comment(words);
    } catch (fault) {
      if (!(fault instanceof SdkFault)) throw fault;
      text.value = words;
      tell(say("noServer"));
    }
  };
  return (
    <form
      class="host-comment field"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <input
        data-testid="comment-input"
        value={text.value}
        maxLength={MAX_COMMENT_CHARS}
        placeholder={say("commentHint")}
        aria-label={say("commentHint")}
        autocomplete="off"
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
      <button type="submit" class="round" data-testid="comment-send" aria-label={say("send")}>
        <Icon name="send" size={20} weight={2.25} />
      </button>
    </form>
  );
}

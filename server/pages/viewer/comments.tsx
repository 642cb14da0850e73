/** The talk of the room, newest at the bottom. Stays where the reader has scrolled to; a tap on a name hides that person here. */
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import type { Comment } from "#sdk";
import { Icon } from "../shared/icons.tsx";
import type { Room } from "../shared/room.ts";
import { notify } from "./notice.tsx";
import type { Talk } from "./talk.ts";
import { say } from "./words.ts";

export function Comments(props: { room: Room; talk: Talk }): JSX.Element {
  const { room, talk } = props;
  const isPaused = useSignal(false);
  const shown = talk.shown.value;
  const own = talk.onTheirWay.value;
  return (
    <section class="comments" aria-label={say("commentsLabel")}>
      <button
        type="button"
        class="unseen pause-reading"
        aria-pressed={isPaused.value}
        onClick={() => (isPaused.value = !isPaused.value)}
      >
        {say(isPaused.value ? "resumeReading" : "pauseReading")}
      </button>
      <TopComment room={room} />
      <div class="comments-scroll" tabIndex={0}>
        <div role="log" aria-live={isPaused.value ? "off" : "polite"} aria-relevant="additions">
          <ol data-testid="comment-list">
            {shown.length + own.length === 0 && (
              <li class="soft first-word">{say("noComments")}</li>
            )}
            {shown.map((comment) => (
              <CommentLine key={comment.no} comment={comment} room={room} talk={talk} />
            ))}
            {own.map((line) => (
              <li key={`own-${line.id}`} class="own">
                <b>{say("you")}</b>
                <span>{line.text}</span>
              </li>
            ))}
          </ol>
        </div>
      </div>
    </section>
  );
}

function CommentLine(props: { comment: Comment; room: Room; talk: Talk }): JSX.Element {
  const { comment, room, talk } = props;
  const { role, viewerId, text, count } = comment;
  const isOwn = viewerId === room.me;
  const name = isOwn ? say("you") : comment.name;
  const hide = (): void => {
    talk.hide(viewerId);
    notify(say("personHidden", { name }), { words: say("undo"), run: () => talk.unhide(viewerId) });
  };
  return (
    <li class={isOwn ? "own" : role}>
      {role !== "viewer" && <i class="role">{say(role)}</i>}
      {isOwn || role !== "viewer" ? (
        <b>{name}</b>
      ) : (
        <button type="button" class="name" title={say("hidePerson", { name })} onClick={hide}>
          {name}
        </button>
      )}
      <span>{text}</span>
      {count > 1 && (
        <i class="times">
          <span aria-hidden="true">+{count - 1}</span>
          <span class="unseen">{say("saidTimes", { n: count })}</span>
        </i>
      )}
    </li>
  );
}

/** What the host holds on top. */
function TopComment(props: { room: Room }): JSX.Element | null {
  const comment = props.room.pinnedComment.value;
  if (comment === undefined) return null;
  return (
    <p class="top-comment" data-testid="pinned-comment">
      <Icon name="pin" size={14} solid />
      <span>
        <span class="unseen">{say("pinnedComment")} </span>
        <b>{comment.viewerId === props.room.me ? say("you") : comment.name}</b>
        {comment.text}
      </span>
    </p>
  );
}

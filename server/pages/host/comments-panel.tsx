/** The talk, with moderation on hover and by keys: ↑↓ selects, M mutes for ten minutes (and back), D twice deletes. */
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import type { Comment } from "#sdk";
import { Icon } from "../shared/icons.tsx";
import type { Room } from "../shared/room.ts";
import { TwoStep } from "../shared/two-step.tsx";
import type { Actions } from "./actions.ts";
import { HostComment } from "./host-comment.tsx";
import { attempt } from "./trouble.tsx";
import { say } from "./words.ts";

const MUTE_FOR_MS = 10 * 60_000;

export function CommentsPanel(props: { room: Room; actions: Actions }): JSX.Element {
  const { room, actions } = props;
  /** Whom this page has muted; the room tells nobody else's. */
  const muted = useSignal<ReadonlySet<string>>(new Set());
  const comments = room.comments.value;
  const newestOf = new Map(comments.map((comment) => [comment.viewerId, comment.no]));

  const switchMute = async (viewerId: string): Promise<void> => {
    const isMuted = muted.value.has(viewerId);
    const isDone = await attempt(
      isMuted ? actions.unmute(viewerId) : actions.mute(viewerId, MUTE_FOR_MS),
    );
    if (!isDone) return;
    const next = new Set(muted.value);
    if (isMuted) next.delete(viewerId);
    else next.add(viewerId);
    muted.value = next;
  };
  const onKey = (event: KeyboardEvent, comment: Comment): void => {
    const row = event.currentTarget as HTMLElement;
    if (event.target !== row) return;
    const key = event.key.toLowerCase();
    if (key === "arrowdown") (row.nextElementSibling as HTMLElement | null)?.focus();
    else if (key === "arrowup") (row.previousElementSibling as HTMLElement | null)?.focus();
    else if (key === "m") void switchMute(comment.viewerId);
    else if (key === "d") row.querySelector<HTMLButtonElement>(".comment-delete")?.click();
    else return;
    event.preventDefault();
  };
  return (
    <section class="panel talk" aria-label={say("comments")}>
      <div class="panel-head">
        <h2>{say("comments")}</h2>
        <small class="soft">{say("keysHint")}</small>
      </div>
      <div class="talk-scroll">
        {comments.length === 0 && <p class="soft">{say("noComments")}</p>}
        <ol data-testid="comment-list">
          {comments.map((comment) => (
            <li
              key={comment.no}
              class={`talk-row ${comment.role} ${muted.value.has(comment.viewerId) ? "is-muted" : ""}`}
              tabIndex={0}
              onKeyDown={(event) => onKey(event, comment)}
            >
              <p>
                {comment.role !== "viewer" && <i class="chip ok">{say(comment.role)}</i>}
                <b>{comment.name}</b> {comment.text}
              </p>
              {comment.role === "viewer" && (
                <span class="talk-actions">
                  <button
                    type="button"
                    class="button"
                    data-testid={
                      newestOf.get(comment.viewerId) === comment.no
                        ? `mute-${comment.viewerId}`
                        : undefined
                    }
                    title={say("muteWhy")}
                    aria-pressed={muted.value.has(comment.viewerId)}
                    onClick={() => void switchMute(comment.viewerId)}
                  >
                    <Icon name="silence" size={16} />
                    {say(muted.value.has(comment.viewerId) ? "unmute" : "mute")}
                  </button>
                  <TwoStep
                    class="comment-delete"
                    words={say("remove")}
                    question={say("removeSure")}
                    onSure={() => void attempt(actions.deleteComment(comment.no))}
                  />
                </span>
              )}
            </li>
          ))}
        </ol>
      </div>
      <HostComment room={room} />
    </section>
  );
}

/** The talk: the comment held on top, slow mode, the rules, and the comments with moderation on hover and by keys. */
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Icon } from "../shared/icons.tsx";
import type { Room } from "../shared/room.ts";
import type { Actions } from "./actions.ts";
import { CommentRow } from "./comment-row.tsx";
import { HostComment } from "./host-comment.tsx";
import { createModeration, type Moderation } from "./moderation.ts";
import { RulesEditor } from "./rules-editor.tsx";
import { attempt } from "./trouble.tsx";
import { say } from "./words.ts";

export function CommentsPanel(props: { room: Room; actions: Actions }): JSX.Element {
  const { room, actions } = props;
  const moderation = useMemo(() => createModeration(actions), [actions]);
  useEffect(() => void moderation.load(), [moderation]);
  const areRulesOpen = useSignal(false);
  const comments = room.comments.value;
  const top = room.pinnedComment.value;
  const newestOf = new Map(comments.map((comment) => [comment.viewerId, comment.no]));
  return (
    <section class="panel talk" aria-label={say("comments")}>
      <div class="panel-head">
        <h2>{say("comments")}</h2>
        <SlowMode room={room} moderation={moderation} />
        <button
          type="button"
          class="button rules-open"
          data-testid="rules-open"
          aria-expanded={areRulesOpen.value}
          onClick={() => {
            areRulesOpen.value = !areRulesOpen.value;
            if (areRulesOpen.value) void moderation.load();
          }}
        >
          {say("rules")}
          <Icon name="down" size={16} />
        </button>
      </div>
      {areRulesOpen.value && <RulesEditor moderation={moderation} />}
      {top !== undefined && (
        <p class="talk-top" data-testid="pinned-comment">
          <Icon name="pin" size={16} solid />
          <span>
            <b>{top.name}</b> {top.text}
          </span>
          <button type="button" class="button" onClick={() => void moderation.switchPin(top, true)}>
            {say("unpinComment")}
          </button>
        </p>
      )}
      <div class="talk-scroll">
        {comments.length === 0 && <p class="soft">{say("noComments")}</p>}
        <ol data-testid="comment-list">
          {comments.map((comment) => (
            <CommentRow
              key={comment.no}
              comment={comment}
              isPinned={top?.no === comment.no}
              isNewest={newestOf.get(comment.viewerId) === comment.no}
              moderation={moderation}
            />
          ))}
        </ol>
      </div>
      <HostComment room={room} />
      <small class="soft keys-hint">{say("keysHint")}</small>
    </section>
  );
}

const SLOW_SECONDS = [0, 3, 5, 10, 30, 60];

function SlowMode(props: { room: Room; moderation: Moderation }): JSX.Element {
  const now = props.room.slowModeMs.value / 1000;
  const steps = SLOW_SECONDS.includes(now)
    ? SLOW_SECONDS
    : [...SLOW_SECONDS, now].toSorted((a, b) => a - b);
  return (
    <label class="slow-mode field">
      <span class="unseen">{say("slowMode")}</span>
      <span class="field-select">
        <select
          data-testid="slow-mode"
          value={String(now)}
          onChange={(event) =>
            void attempt(
              props.moderation.setRules({ slowModeMs: Number(event.currentTarget.value) * 1000 }),
            )
          }
        >
          {steps.map((seconds) => (
            <option key={seconds} value={String(seconds)}>
              {seconds === 0 ? say("slowOff") : say("slowEvery", { n: seconds })}
            </option>
          ))}
        </select>
        <Icon name="down" size={16} />
      </span>
    </label>
  );
}

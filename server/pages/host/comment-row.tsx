/** One comment as the host works it: its words, how many said the same, and what may be done, on hover and by keys. */
import type { JSX } from "preact";
import type { Comment } from "#sdk";
import { Icon, type IconName } from "../shared/icons.tsx";
import { TwoStep } from "../shared/two-step.tsx";
import type { Moderation } from "./moderation.ts";
import { say } from "./words.ts";

export function CommentRow(props: {
  comment: Comment;
  isPinned: boolean;
  /** The newest of its writer. */
  isNewest: boolean;
  moderation: Moderation;
}): JSX.Element {
  const { comment, isPinned, isNewest, moderation } = props;
  const { viewerId, name, role, count } = comment;
  const isMuted = moderation.muted.value.has(viewerId);
  const isShadowed = moderation.shadowed.value.has(viewerId);
  const onKey = (event: KeyboardEvent): void => {
    const row = event.currentTarget as HTMLElement;
    if (event.target !== row) return;
    const key = event.key.toLowerCase();
    if (key === "arrowdown") (row.nextElementSibling as HTMLElement | null)?.focus();
    else if (key === "arrowup") (row.previousElementSibling as HTMLElement | null)?.focus();
    else if (key === "p") void moderation.switchPin(comment, isPinned);
    else if (key === "m" && role === "viewer") void moderation.switchMute(viewerId);
    else if (key === "d") row.querySelector<HTMLButtonElement>(".comment-delete")?.click();
    else return;
    event.preventDefault();
  };
  const look = [role, isMuted && "is-muted", isShadowed && "is-shadowed"].filter(Boolean);
  return (
    <li class={`talk-row ${look.join(" ")}`} tabIndex={0} onKeyDown={onKey}>
      <p>
        {role !== "viewer" && <i class="chip ok">{say(role)}</i>}
        <b>{name}</b> {comment.text}
        {count > 1 && (
          <i class="times" title={say("saidTimes", { n: count })}>
            +{count - 1}
          </i>
        )}
      </p>
      <span class="talk-actions">
        <Action
          icon="pin"
          words={say(isPinned ? "unpinComment" : "pinComment")}
          isOn={isPinned}
          testId={`pin-comment-${comment.no}`}
          onTap={() => void moderation.switchPin(comment, isPinned)}
        />
        {role === "viewer" && (
          <>
            <Action
              icon="silence"
              words={say(isMuted ? "unmute" : "mute")}
              why={say("muteWhy")}
              isOn={isMuted}
              testId={isNewest ? `mute-${viewerId}` : undefined}
              onTap={() => void moderation.switchMute(viewerId)}
            />
            <Action
              icon="muted"
              words={say(isShadowed ? "unshadow" : "shadow")}
              why={say("shadowWhy")}
              isOn={isShadowed}
              testId={isNewest ? `shadow-${viewerId}` : undefined}
              onTap={() => void moderation.switchShadow(viewerId, name)}
            />
            <TwoStep
              class="comment-delete"
              words={say("remove")}
              question={say("removeSure")}
              onSure={() => void moderation.remove(comment)}
            />
          </>
        )}
      </span>
    </li>
  );
}

function Action(props: {
  icon: IconName;
  words: string;
  why?: string;
  isOn: boolean;
  testId: string | undefined;
  onTap: () => void;
}): JSX.Element {
  const { icon, words, isOn } = props;
  return (
    <button
      type="button"
      class="button"
      data-testid={props.testId}
      title={props.why ?? words}
      aria-label={words}
      aria-pressed={isOn}
      onClick={props.onTap}
    >
      <Icon name={icon} size={16} solid={icon === "pin" && isOn} />
      <span class="wide-only">{words}</span>
    </button>
  );
}

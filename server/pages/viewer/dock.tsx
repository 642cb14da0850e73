/** Under the thumb: write, bag, like, share. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { count, shortCount } from "../shared/figures.ts";
import { Icon } from "../shared/icons.tsx";
import type { Room } from "../shared/room.ts";
import { burst } from "./hearts.ts";
import { shareShow } from "./sharing.ts";
import type { Talk } from "./talk.ts";
import { say } from "./words.ts";

const MAX_COMMENT_CHARS = 200;

export function Dock(props: { room: Room; talk: Talk; onBag: () => void }): JSX.Element {
  const { room, talk, onBag } = props;
  const products = room.products.value.size;
  return (
    <div class="dock">
      {talk.refusal.value !== "" && (
        <p class="dock-refusal" role="alert">
          {talk.refusal.value}
        </p>
      )}
      <CommentForm room={room} talk={talk} />
      <button
        type="button"
        class="dock-button bag-button"
        onClick={onBag}
        aria-label={`${say("bag")}, ${say("bagCount", { n: products })}`}
      >
        <Icon name="bag" />
        {products > 0 && <span class="badge">{count(products)}</span>}
      </button>
      <LikeButton room={room} />
      <button
        type="button"
        class="dock-button"
        onClick={() => void shareShow(room)}
        aria-label={say("share")}
      >
        <Icon name="share" />
      </button>
    </div>
  );
}

function CommentForm(props: { room: Room; talk: Talk }): JSX.Element {
  const { room, talk } = props;
  const slowMs = room.slowModeMs.value;
  const hint =
    slowMs === 0 ? say("commentHint") : say("commentHintSlow", { n: Math.ceil(slowMs / 1000) });
  const draft = talk.draft.value;
  return (
    <form
      class="comment-form"
      onSubmit={(event) => {
        event.preventDefault();
        talk.send();
      }}
    >
      <input
        data-testid="comment-input"
        value={draft}
        onInput={(event) => talk.write(event.currentTarget.value)}
        placeholder={hint}
        aria-label={hint}
        maxLength={MAX_COMMENT_CHARS}
        enterkeyhint="send"
        autocomplete="off"
      />
      <button
        type="submit"
        class={draft.trim() === "" ? "send" : "send ready"}
        data-testid="comment-send"
        aria-label={say("commentSend")}
      >
        <Icon name="send" size={20} weight={2.25} />
      </button>
    </form>
  );
}

/** Own likes fly at once; those of others are a few hearts per total that came in, never more than were given. */
function LikeButton(props: { room: Room }): JSX.Element {
  const { room } = props;
  const button = useRef<HTMLButtonElement>(null);
  const seen = useRef(room.likes.value);
  const likes = room.likes.value;
  const fly = (): void => {
    const box = button.current?.getBoundingClientRect();
    if (box !== undefined) burst(box.left + box.width / 2, box.top);
  };
  useEffect(() => {
    const fresh = Math.min(3, likes - seen.current);
    seen.current = likes;
    const timers = Array.from({ length: Math.max(0, fresh) }, (_, i) => setTimeout(fly, i * 160));
    return () => timers.forEach(clearTimeout);
  }, [likes]);
  return (
    <button
      ref={button}
      type="button"
      class="dock-button like-button"
      data-testid="like"
      aria-label={say("like", { n: likes })}
      onClick={() => {
        room.live.like(1);
      }}
    >
      <Icon name="heart" solid />
      <span class="badge">{shortCount(likes)}</span>
    </button>
  );
}

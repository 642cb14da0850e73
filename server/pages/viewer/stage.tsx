/** The picture and what lies on its upper edge: who is on, how many watch, language, sound, and the state of the line. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { VideoState } from "#sdk";
import { count } from "../shared/figures.ts";
import { Icon } from "../shared/icons.tsx";
import { LangButton } from "../shared/lang-button.tsx";
import type { Room } from "../shared/room.ts";
import { ConnectionStrip } from "./connection-strip.tsx";
import { burst } from "./hearts.ts";
import { say } from "./words.ts";

/** Two taps within this are a like. */
const DOUBLE_TAP_MS = 280;

export function Stage(props: { room: Room }): JSX.Element {
  const { room } = props;
  const video = useRef<HTMLVideoElement>(null);
  const picture = useSignal<VideoState>("connecting");
  const isMuted = useSignal(true);
  const lastTap = useRef(0);
  const hasPlayed = useSignal(false);
  if (picture.value === "playing") hasPlayed.value = true;

  useEffect(() => {
    const element = video.current;
    if (element === null) return;
    element.muted = true;
    const attached = room.live.video.attach(element, {
      onState: (state) => (picture.value = state),
    });
    attached.catch(() => (picture.value = "failed"));
    return () => {
      attached.then((playing) => playing.close()).catch(() => (picture.value = "failed"));
    };
  }, [room, picture]);

  const switchSound = (): void => {
    const element = video.current;
    if (element === null) return;
    element.muted = !element.muted;
    isMuted.value = element.muted;
  };
  const onTap = (event: MouseEvent): void => {
    if (event.timeStamp - lastTap.current < DOUBLE_TAP_MS) {
      room.live.like(1);
      burst(event.clientX, event.clientY);
    }
    lastTap.current = event.timeStamp;
  };

  return (
    <section class={`stage ${room.state.value}`} aria-label={say("videoLabel")}>
      <video
        ref={video}
        data-testid="video"
        data-state={picture.value}
        autoPlay
        playsInline
        muted
        onClick={onTap}
      />
      <PictureState room={room} state={picture.value} hasPlayed={hasPlayed.value} />
      <div class="stage-scrim" aria-hidden="true" />
      <header class="top">
        <div class="top-row">
          <HostChip room={room} />
          <LangButton class="lang-button glass" />
        </div>
        <div class="top-row second">
          <button
            type="button"
            class={`sound glass ${isMuted.value ? "" : "on"}`}
            onClick={switchSound}
          >
            <Icon name={isMuted.value ? "muted" : "sound"} size={18} />
            <span class={isMuted.value ? "" : "unseen"}>
              {say(isMuted.value ? "soundOn" : "soundOff")}
            </span>
          </button>
          <ConnectionStrip room={room} />
        </div>
      </header>
    </section>
  );
}

function HostChip(props: { room: Room }): JSX.Element {
  const { title, state, viewers } = props.room;
  const [first = "D"] = title.value;
  const watching = say("viewersLabel", { n: viewers.value });
  return (
    <div class="host-chip glass">
      <span class="host-avatar" aria-hidden="true">
        {first.toUpperCase()}
      </span>
      <div>
        <h1>{title.value}</h1>
        <p>
          <span class={`on-air ${state.value === "live" ? "" : "off"}`}>
            {say(({ live: "onAir", scheduled: "scheduled", ended: "ended" } as const)[state.value])}
          </span>
          <Icon name="eye" size={15} weight={2} />
          <span data-testid="viewer-count" title={watching} aria-label={watching} role="img">
            {count(viewers.value)}
          </span>
        </p>
      </div>
    </div>
  );
}

/** What stands in for the picture while there is none. */
function PictureState(props: {
  room: Room;
  state: VideoState;
  hasPlayed: boolean;
}): JSX.Element | null {
  const kind = stateOf(props.room.state.value, props.state, props.hasPlayed);
  if (kind === "playing") return null;
  const { icon, word } = STAND_INS[kind];
  return (
    <p class="picture-state" role="status">
      <span>
        {icon === undefined ? <i class="spinner" /> : <Icon name={icon} size={32} weight={1.5} />}
      </span>
      {say(word)}
    </p>
  );
}

function stateOf(
  show: "scheduled" | "live" | "ended",
  video: VideoState,
  hasPlayed: boolean,
): keyof typeof STAND_INS | "playing" {
  if (show === "ended") return "ended";
  if (video === "playing") return "playing";
  if (show === "scheduled") return "scheduled";
  return video === "waiting" && !hasPlayed ? "none" : video;
}

const STAND_INS = {
  ended: { icon: "check", word: "showOver" },
  scheduled: { icon: "camera", word: "notStarted" },
  failed: { icon: "offline", word: "videoFailed" },
  none: { icon: "camera", word: "videoNone" },
  waiting: { icon: undefined, word: "videoWaiting" },
  connecting: { icon: undefined, word: "videoConnecting" },
} as const;

/** Left column: the picture (own camera, or what viewers see while it is off), sound level, devices, and going live. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { VideoState } from "#sdk";
import { Icon } from "../shared/icons.tsx";
import type { Room } from "../shared/room.ts";
import { TwoStep } from "../shared/two-step.tsx";
import type { Camera, CameraState, Trouble } from "./camera.ts";
import { LevelMeter } from "./level-meter.tsx";
import { say } from "./words.ts";

const TROUBLE_WORDS = {
  denied: "cameraDenied",
  missing: "cameraMissing",
  busy: "cameraBusy",
  insecure: "cameraInsecure",
  publish: "publishFailed",
} as const satisfies Record<Trouble, string>;

export function CameraPanel(props: { room: Room; camera: Camera }): JSX.Element {
  const { room, camera } = props;
  const state = camera.state.value;
  const stream = "stream" in state ? state.stream : undefined;
  const trouble = "trouble" in state ? state.trouble : undefined;
  return (
    <section class="panel camera" aria-label={say("preview")}>
      <div class={`preview ${state.at}`}>
        {stream === undefined ? <RoomPicture room={room} /> : <OwnPicture stream={stream} />}
        <span class="preview-label">
          {state.at === "onAir" && <i class="on-air">{say("onAir")}</i>}
          {say(labelOf(state))}
        </span>
      </div>
      <LevelMeter stream={stream} />
      {stream !== undefined && (
        <div class="devices">
          <DevicePick camera={camera} kind="videoinput" label={say("camera")} />
          <DevicePick camera={camera} kind="audioinput" label={say("microphone")} />
        </div>
      )}
      {trouble !== undefined && (
        <p class="field-refusal" role="alert">
          {say(TROUBLE_WORDS[trouble])}
        </p>
      )}
      <Controls camera={camera} room={room} />
    </section>
  );
}

const labelOf = (state: CameraState): "onAirNow" | "yourCamera" | "whatViewersSee" =>
  state.at === "onAir" ? "onAirNow" : "stream" in state ? "yourCamera" : "whatViewersSee";

function Controls(props: { camera: Camera; room: Room }): JSX.Element {
  const { camera, room } = props;
  const { at } = camera.state.value;
  if (at === "onAir") {
    return (
      <TwoStep
        class="wide tall stop"
        words={say("stopLive")}
        question={say("stopSure")}
        onSure={() => void camera.stop()}
      />
    );
  }
  const isBusy = at === "asking" || at === "going";
  return (
    <div class="camera-controls">
      <button
        type="button"
        class="button air wide tall"
        data-testid="go-live"
        disabled={isBusy || room.state.value === "ended"}
        onClick={() => void camera.goLive()}
      >
        <Icon name="camera" size={22} />
        {say(at === "going" ? "goingLive" : "goLive")}
      </button>
      {at === "off" && (
        <button type="button" class="button bare wide" onClick={() => void camera.tryOut()}>
          {say("tryCamera")}
        </button>
      )}
    </div>
  );
}

function OwnPicture(props: { stream: MediaStream }): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (video.current !== null) video.current.srcObject = props.stream;
  }, [props.stream]);
  return <video ref={video} class="mirrored" autoPlay muted playsInline />;
}

function RoomPicture(props: { room: Room }): JSX.Element {
  const { room } = props;
  const video = useRef<HTMLVideoElement>(null);
  const state = useSignal<VideoState>("connecting");
  useEffect(() => {
    const element = video.current;
    if (element === null) return undefined;
    element.muted = true;
    const attached = room.live.video.attach(element, { onState: (now) => (state.value = now) });
    attached.catch(() => (state.value = "failed"));
    return () => {
      attached.then((playing) => playing.close()).catch(() => (state.value = "failed"));
    };
  }, [room, state]);
  return (
    <>
      <video ref={video} autoPlay muted playsInline />
      {state.value !== "playing" && (
        <p class="preview-empty">
          <Icon name="camera" size={36} weight={1.25} />
          {say("noPicture")}
        </p>
      )}
    </>
  );
}

function DevicePick(props: {
  camera: Camera;
  kind: "videoinput" | "audioinput";
  label: string;
}): JSX.Element {
  const { camera, kind, label } = props;
  const devices = camera.devices.value.filter(
    (device) => device.kind === kind && device.deviceId !== "",
  );
  return (
    <label class="field">
      <span>{label}</span>
      <span class="field-select">
        <select
          value={camera.chosen.value[kind]}
          onChange={(event) => void camera.choose(kind, event.currentTarget.value)}
        >
          <option value="">{say("defaultDevice")}</option>
          {devices.map((device) => (
            <option key={device.deviceId} value={device.deviceId}>
              {device.label}
            </option>
          ))}
        </select>
        <Icon name="down" size={20} />
      </span>
    </label>
  );
}

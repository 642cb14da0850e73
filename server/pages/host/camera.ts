/**
 * The host's own camera and microphone: off, tried out, or on air. Choosing another device while on air publishes anew.
 * Everything it opened it closes.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import { SdkFault } from "#sdk";
import type { Room } from "../shared/room.ts";
import type { Actions } from "./actions.ts";
import { attempt } from "./trouble.tsx";

export type Trouble = "denied" | "missing" | "busy" | "insecure" | "publish";

export type CameraState =
  | { readonly at: "off"; readonly trouble?: Trouble }
  | { readonly at: "asking" }
  | {
      readonly at: "ready" | "going" | "onAir";
      readonly stream: MediaStream;
      readonly trouble?: Trouble;
    };

export interface Camera {
  readonly state: ReadonlySignal<CameraState>;
  readonly devices: ReadonlySignal<readonly MediaDeviceInfo[]>;
  readonly chosen: ReadonlySignal<Readonly<Record<"videoinput" | "audioinput", string>>>;
  readonly tryOut: () => Promise<void>;
  readonly goLive: () => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly choose: (kind: "videoinput" | "audioinput", deviceId: string) => Promise<void>;
}

/** Portrait first: phones hold the show upright. */
const PICTURE = {
  width: { ideal: 720 },
  height: { ideal: 1280 },
  frameRate: { ideal: 30 },
} as const;

export function createCamera(room: Room, actions: Actions): Camera {
  const state = signal<CameraState>({ at: "off" });
  const devices = signal<readonly MediaDeviceInfo[]>([]);
  const chosen = signal({ videoinput: "", audioinput: "" });
  let publication: { close(): Promise<void> } | undefined;

  const endStream = (): void => {
    if ("stream" in state.value) for (const track of state.value.stream.getTracks()) track.stop();
  };
  const tryOut = async (): Promise<void> => {
    endStream();
    if (navigator.mediaDevices === undefined) {
      state.value = { at: "off", trouble: "insecure" };
      return;
    }
    state.value = { at: "asking" };
    const { videoinput, audioinput } = chosen.value;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        video: { ...PICTURE, ...(videoinput === "" ? {} : { deviceId: { exact: videoinput } }) },
        audio: {
          echoCancellation: true,
          ...(audioinput === "" ? {} : { deviceId: { exact: audioinput } }),
        },
      });
      state.value = { at: "ready", stream };
      devices.value = await navigator.mediaDevices.enumerateDevices();
    } catch (fault) {
      if (!(fault instanceof DOMException)) throw fault;
      state.value = { at: "off", trouble: troubleOf(fault) };
    }
  };
  const goLive = async (): Promise<void> => {
    if (state.value.at === "off") await tryOut();
    const now = state.value;
    if (now.at !== "ready") return;
    state.value = { at: "going", stream: now.stream };
    if (room.state.value === "scheduled" && !(await attempt(actions.startShow()))) {
      state.value = now;
      return;
    }
    try {
      publication = await room.live.video.publish(now.stream);
      state.value = { at: "onAir", stream: now.stream };
    } catch (fault) {
      if (!(fault instanceof SdkFault || fault instanceof DOMException)) throw fault;
      state.value = { at: "ready", stream: now.stream, trouble: "publish" };
    }
  };
  const stop = async (): Promise<void> => {
    const closing = publication?.close();
    publication = undefined;
    endStream();
    state.value = { at: "off" };
    await closing;
  };
  return {
    state,
    devices,
    chosen,
    tryOut,
    goLive,
    stop,
    choose: async (kind, deviceId) => {
      chosen.value = { ...chosen.value, [kind]: deviceId };
      const wasOnAir = state.value.at === "onAir";
      if (wasOnAir) await stop();
      await tryOut();
      if (wasOnAir) await goLive();
    },
  };
}

function troubleOf({ name }: DOMException): Trouble {
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  if (name === "NotReadableError" || name === "AbortError") return "busy";
  return "missing";
}

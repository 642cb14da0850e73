/** What the media tests run inside a page: the SDK's video part over a port that the test provides. */
import {
  publishCamera,
  type Publishing,
  type SignalPort,
  type Watching,
  watchVideo,
} from "../../client-sdk/media/index.ts";

declare global {
  interface Window {
    /** Provided by the test: one signal of this page's session. The answer, or the refusal. */
    sendSignal(name: string, body: string): Promise<{ answer?: unknown; refusal?: string }>;
    harness: {
      notify(body: unknown): void;
      rejoin(): void;
      watch(): Promise<void>;
      publish(layers: 1 | 2 | 3): Promise<void>;
      states: string[];
      watching?: Watching;
      publishing?: Publishing;
    };
  }
}

const notified = new Set<(body: unknown) => void>();
const rejoined = new Set<() => void>();
const port: SignalPort = {
  async signal(name, body) {
    const { answer, refusal } = await window.sendSignal(name, JSON.stringify(body));
    if (refusal !== undefined) throw new Error(refusal);
    return answer;
  },
  onNotify(listener) {
    notified.add(listener);
    return () => notified.delete(listener);
  },
  onRejoined(listener) {
    rejoined.add(listener);
    return () => rejoined.delete(listener);
  },
};
const states: string[] = [];
const onState = (state: string, error?: unknown): void =>
  void states.push(error instanceof Error ? `${state}: ${error.message}` : state);

window.harness = {
  states,
  notify: (body) => notified.forEach((listener) => listener(body)),
  rejoin: () => rejoined.forEach((listener) => listener()),
  async watch() {
    const element = document.querySelector("video");
    if (element === null) throw new Error("no video element");
    window.harness.watching = await watchVideo(port, element, { onState });
  },
  async publish(layers) {
    const stream = await navigator.mediaDevices.getUserMedia({
      video: { width: 640, height: 480 },
      audio: true,
    });
    window.harness.publishing = await publishCamera(port, stream, { layers, onState });
  },
};

/**
 * The core's side of video: signals over the room's own socket, and the media module loaded at first use, so that the core
 * stays small for those who only read and buy.
 */
import type { SignalName } from "#wire";
import type { Commands } from "./commands.ts";
import type { Events } from "./events.ts";
import type { LiveEvents, LiveVideo } from "./live.ts";

/** What the media module needs of a room. */
export interface SignalPort {
  /** @throws SdkFault */
  signal(name: SignalName, body: object): Promise<unknown>;
  /** News from the media side, parsed. @returns a function that ends the subscription */
  onNotify(fn: (body: unknown) => void): () => void;
  /** The room was joined anew, perhaps through another gateway. */
  onRejoined(fn: () => void): () => void;
}

export interface VideoLink extends LiveVideo {
  notified(body: string): void;
  close(): void;
}

/** Loads what `attach` needs ahead of it: the picture is there sooner. A failure shows when it is needed. */
export function preloadVideo(): void {
  import("./media/index.ts").catch(() => undefined);
}

export function createVideo(commands: Commands, events: Events<LiveEvents>): VideoLink {
  const listeners = new Set<(body: unknown) => void>();
  const open = new Set<{ close(): unknown }>();
  const port: SignalPort = {
    async signal(name, body) {
      const answer = await commands.ask("signal", { name, body: JSON.stringify(body) }, 10_000);
      return JSON.parse(answer.body) as unknown;
    },
    onNotify(fn) {
      listeners.add(fn);
      return () => void listeners.delete(fn);
    },
    onRejoined: (fn) =>
      events.on("connectionChanged", ({ connection, resumed }) => {
        if (connection === "live" && resumed !== undefined) fn();
      }),
  };
  const kept = <T extends { close(): unknown }>(part: T): T => {
    open.add(part);
    return part;
  };
  return {
    async attach(element, options) {
      const { watchVideo } = await import("./media/index.ts");
      return kept(await watchVideo(port, element, options));
    },
    async publish(stream) {
      const { publishCamera } = await import("./media/index.ts");
      return kept(await publishCamera(port, stream));
    },
    notified(body) {
      const news: unknown = JSON.parse(body);
      for (const fn of listeners) fn(news);
    },
    close() {
      for (const part of open) part.close();
      open.clear();
    },
  };
}

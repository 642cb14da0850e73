/** What the media process tells sessions unasked: the bodies (JSON) of `notify` and of the `mediaChanged` frame. */

export type OnAir = "host" | "demo" | "nobody";

export type MediaNotice =
  /** To every session: who is on air, and every producer there is. Consumers of producers not listed are closed. */
  | {
      readonly event: "producersChanged";
      readonly onAir: OnAir;
      readonly producerIds: readonly string[];
    }
  /** To every session of a show: its worker was replaced; transports, producers and consumers from before are gone. */
  | { readonly event: "rebuilt" }
  /** To one session: this transport of its own is gone (no sign of life, or another host took over). */
  | {
      readonly event: "transportClosed";
      readonly transportId: string;
      readonly why: "silent" | "takenOver";
    };

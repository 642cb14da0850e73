/**
 * The envelope between gateways and media processes, over Redis pub/sub as JSON. Browsers never see it:
 * a gateway wraps a client's `signal` frame into `MediaAsk` and turns `MediaTell` into frames.
 */
import type { FailureCode, SignalName } from "./frames.ts";
import type { Role } from "./records.ts";

/** Every gateway asks here; `to` names the media process meant. */
export const mediaAskChannel = (mediaNode: string): string => `dropcast:media:${mediaNode}`;
/** A media process answers and notifies one gateway here. */
export const mediaTellChannel = (gatewayNode: string): string =>
  `dropcast:gateway:${gatewayNode}:media`;

/** A signal of one client, or news that its socket is gone (`left`; the session lives on for a grace period). */
export interface MediaAsk {
  readonly from: string;
  /** Links the answer; unique per gateway. 0: no answer wanted. */
  readonly ref: number;
  readonly show: string;
  /** One page or app instance of a viewer: `viewerId/client`. Survives reconnects. */
  readonly session: string;
  readonly role: Role;
  readonly name: SignalName | "left";
  /** JSON text from the client, unchecked. */
  readonly body: string;
}

export type MediaTell =
  | { readonly kind: "answer"; readonly ref: number; readonly body: string }
  | {
      readonly kind: "fault";
      readonly ref: number;
      readonly code: FailureCode;
      readonly why: string;
    }
  /** To one session ("") or to every session of the show on this gateway ("*"). */
  | {
      readonly kind: "notify";
      readonly show: string;
      readonly session: string;
      readonly body: string;
    };

/** Seconds-fresh facts of a media process, kept by it in the Redis hash `dropcast:media` under its node id, as JSON. */
export interface MediaLease {
  readonly node: string;
  /** Redis TIME in ms after which this process counts as gone. */
  readonly untilMs: number;
  readonly sessions: number;
  readonly workers: readonly {
    readonly pid: number;
    readonly cpu: number;
    readonly consumers: number;
  }[];
}

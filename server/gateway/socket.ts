/**
 * What the gateway needs of a WebSocket library, and no more. uws.ts is the one implementation; moving to another build or
 * library means writing this interface again.
 */

/** One open connection. Calls after its end do nothing. */
export interface Socket {
  /** Speaks the JSON subprotocol: frames travel as text. */
  readonly json: boolean;
  /** Takes deflated frames. */
  readonly inflates?: boolean;
  readonly address: string;
  /** Bytes that the kernel did not take yet; 0 after its end. */
  readonly waitingBytes: number;
  send(frame: Uint8Array | string): void;
  /** What is sent within goes out as one write. */
  cork(work: () => void): void;
  /** From now on gets what is published under the topic. */
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  end(code: number, reason: string): void;
}

/** Our side of one connection. */
export interface Conversation {
  /** One message. The bytes are only valid during this call. */
  heard(message: Uint8Array, isText: boolean): void;
  /** A message for this peer was thrown away: it reads too slowly. */
  lagged(): void;
  closed(): void;
}

export interface SocketServer {
  /** Native fan-out of the same bytes to every subscriber. */
  publish(topic: string, frame: Uint8Array | string): void;
  /** Frames of a POST that came to another gateway. */
  readonly takePosted: (connection: string, body: string) => boolean;
  /** No new connections from here on. */
  stopListening(): void;
  /** Ends what is still open. */
  close(): void;
}

/** Every bound of the media process, in its unit. */
export const MEDIA_LIMITS = {
  /** Sessions of one process, those in their grace period included. */
  maxSessions: 4000,
  /** Consumers of one session. A session has at most one transport each way and one producer a kind. */
  maxConsumersPerSession: 8,
  /** Asks of one session that wait for the one before. */
  maxWaitingAsks: 32,
  /** A call to a worker that takes longer is given up. */
  workerCallMs: 5000,
  /** A session whose socket is gone may come back within. */
  graceMs: 15_000,
  /** No ICE consent for this long closes a transport. */
  silentAfterMs: 20_000,
  /** A room with no session and nobody on air is closed after. */
  roomIdleMs: 60_000,
  /** Between the host's end and the demo's return. */
  demoReturnMs: 3000,
  /** producersChanged is told at most once in this time: audio and video arrive as one. */
  noticeEveryMs: 50,
  /** New viewers are refused above this share of a worker's core: at 97 % control calls took 275 ms (measured). */
  closedAtCpu: 0.7,
  /** mediasoup's default (1 s) made a join burst wait 1,144 ms at p95, this 425 ms (measured). */
  keyFrameRequestDelayMs: 350,
  leaseEveryMs: 1000,
  leaseLastsMs: 3000,
} as const;

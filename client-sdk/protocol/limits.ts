/**
 * Every limit of the wire, in its unit. Sent to nobody: both sides compile in what they need, and PROTOCOL.md prints it all.
 * `CLIENT_LIMITS` are those that clients need too; the rest is kept out of their code.
 */
export const CLIENT_LIMITS = {
  /** A frame longer than this is refused before it is decoded (media signals may use all of it). */
  maxFrameBytes: 64 * 1024,
  /** The same for every frame that is not a media signal. */
  maxCommandBytes: 4 * 1024,
  maxCommentChars: 200,
  maxKeyChars: 40,
  maxLikesPerFrame: 1000,
  maxCouponsPerHold: 3,
  maxCommentsPerFrame: 100,
  /** Comments of a tick older than this are not shown by clients: with what came before the tick, nothing shown is older than 2 s. */
  maxCommentAgeMs: 1600,
  /** While comments come, clients say at least this often which tick they have seen; every second or so while they come too late. */
  seenEveryMs: 10_000,
  maxRecentComments: 50,
  /** Drops that are over, beyond this many, are no longer shown in the room. */
  maxDropsShown: 100,
} as const;

export const LIMITS = /* @__PURE__ */ (() =>
  ({
    ...CLIENT_LIMITS,
    /** Between the socket's opening and `hello`. */
    helloWithinMs: 5000,
    /** A socket without a frame for this long is dropped; clients send `beat` every 20–25 s. */
    maxSilenceMs: 60_000,
    /** Frames of one connection: a bucket of `frameBurst`, refilled at `framesPerSecond`. */
    frameBurst: 120,
    framesPerSecond: 40,
    /** Comments of one viewer on one node. */
    commentBurst: 5,
    commentsPerSecond: 1,
    /** The same of one public network address; private ones are proxies, and not limited. */
    addressCommentBurst: 60,
    addressCommentsPerSecond: 20,
    /** Holds of one viewer on one node, all its devices and retries included. */
    holdBurst: 20,
    holdsPerSecond: 10,
    /** Bytes waiting for one slow reader before it is told to resume. */
    maxBackpressureBytes: 256 * 1024,
    /** Comments that viewers hear, beyond which they are sampled; a quiet quarter second may be made up for in one tick. */
    commentsShownPerSecond: 200,
    /** The same for who cannot keep up, and for host, moderators and operators. */
    liteShownPerSecond: 40,
    crewShownPerSecond: 400,
  }) as const)();

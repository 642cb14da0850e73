/**
 * What the room publishes, as one viewer of a swarm takes it in: dense offsets on lane R (a gap is asked for again), versions
 * that may not go back on S and A, receipts on V. Writes it all into the viewer's history, judges nothing.
 */
import { type Body, type DownFrame, FRAMES, LIMITS } from "#wire";
import type { Shared } from "./decoding.ts";
import type { ViewerHistory } from "./history.ts";

const RELIABLE: ReadonlySet<string> = new Set(
  Object.entries(FRAMES).flatMap(([name, frame]) =>
    "lane" in frame && frame.lane === "R" ? [name] : [],
  ),
);

export interface InboxPorts {
  /** Called once per gap with the last offset before it. */
  readonly askCatchUp: (offset: number) => void;
  /** Called with each shown comment's send time. */
  readonly fannedOut: (sentAtMs: number) => void;
  readonly serverNowMs: () => number;
}

export class Inbox {
  readonly #history: ViewerHistory;
  readonly #versions = new Map<string, number>();
  /** Offset that was asked for; -1: no gap. */
  #gapFrom = -1;
  /** A snapshot stands in the place of what was missed. */
  #isReplaced = false;
  /** Comments of this connection's feed that are accounted for; -1: no receipt yet. */
  #upTo = -1;
  /** Newest tick of comments. */
  tick = 0;

  constructor(history: ViewerHistory) {
    this.#history = history;
  }

  welcomed({ resumed, offset, tick }: Body<"welcome">): void {
    this.#gapFrom = -1;
    this.#upTo = -1;
    this.tick = tick;
    if (!resumed) this.#history.offset = offset;
  }

  /** A join or a catch-up is complete. */
  completed(offset: number): void {
    const history = this.#history;
    if (offset > history.offset) {
      if (!this.#isReplaced) history.lost += offset - history.offset;
      history.offset = offset;
    }
    this.#gapFrom = -1;
    this.#isReplaced = false;
  }

  take({ frame, sentAtMs }: Shared, ports: InboxPorts): void {
    if (RELIABLE.has(frame.kind)) {
      if ("offset" in frame) this.#inOrder(frame.offset, ports.askCatchUp);
    } else if (frame.kind === "comments") this.#receipt(frame, sentAtMs, ports);
    else if (frame.kind === "snapshot") {
      this.#isReplaced = true;
      this.#history.snapshots++;
    } else if (frame.kind === "stockChanged") this.#newer(frame.dropId, frame.version);
    else if (frame.kind === "viewersChanged" || frame.kind === "totals")
      this.#newer(frame.kind, frame.version);
  }

  #inOrder(offset: number, askCatchUp: (offset: number) => void): void {
    const history = this.#history;
    if (offset === history.offset + 1) {
      history.offset = offset;
      history.events++;
      this.#gapFrom = -1;
    } else if (offset > history.offset && this.#gapFrom !== history.offset) {
      this.#gapFrom = history.offset;
      history.gaps++;
      askCatchUp(history.offset);
    } else if (offset <= history.offset) history.repeats++;
  }

  #newer(of: string, version: number): void {
    if (version < (this.#versions.get(of) ?? 0)) this.#history.backwards++;
    else this.#versions.set(of, version);
  }

  #receipt(
    { tick, atMs, accepted, skipped, upTo, comments }: Extract<DownFrame, { kind: "comments" }>,
    sentAtMs: readonly number[],
    ports: InboxPorts,
  ): void {
    // Old comments on the way in, and own ones, come with an empty receipt.
    if (accepted === 0) return;
    this.tick = Math.max(this.tick, tick);
    const { receipts } = this.#history;
    const missed = this.#upTo < 0 ? 0 : upTo - accepted - this.#upTo;
    const isLate = ports.serverNowMs() - atMs > LIMITS.maxCommentAgeMs;
    this.#upTo = upTo;
    receipts.accepted += accepted + missed;
    receipts.slow += missed + (isLate ? accepted : 0);
    // As the SDK does: nobody is shown what was said while the phone slept.
    if (isLate) return;
    receipts.skipped += skipped;
    for (const { count } of comments) receipts.shown += count;
    for (const sentMs of sentAtMs) ports.fannedOut(sentMs);
  }
}

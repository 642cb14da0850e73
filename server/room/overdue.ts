/**
 * Which offset everybody should have read by now. A published event can be lost on its way to one socket without anybody being told
 * (the library throws away what a slow reader piles up), and where no other follows, no gap shows. A client's beats say how far it
 * has read: who still lacks what was there two looks ago gets it again. Costs two numbers per room.
 */

/** Between two looks; a line that is slower than this is told twice, which does no harm. */
const LOOK_EVERY_MS = 15_000;

/**
 * @param offset the newest of the room
 * @returns whether a client that has read as far as this lacks something old
 */
export function createOverdue(
  offset: () => number,
  nowMs: () => number,
): (read: number) => boolean {
  let due = 0;
  let next = offset();
  let lookedAtMs = nowMs();
  return (read) => {
    if (nowMs() - lookedAtMs >= LOOK_EVERY_MS) {
      lookedAtMs = nowMs();
      due = next;
      next = offset();
    }
    return read < due;
  };
}

/**
 * Members who have read further than this node: the node they come from was quicker with the log. They wait until the log has brought
 * this node what they know, so that nobody's screen goes back and no event comes twice. Where the store itself knows less than they do
 * (it lost its newest data), they get what there is; where the log does not come, they are sent on.
 */
export interface Ahead<M> {
  readonly wait: (member: M, offset: number) => void;
  /** The log has brought this offset. */
  readonly reached: (offset: number) => void;
  /** Who waits now: for `told`. */
  readonly waiting: () => readonly M[];
  /** The store's newest offset, asked for after these had come. */
  readonly told: (members: readonly M[], offset: number) => void;
  /** Sends those on who have waited for too long. Called about once a second. */
  readonly expire: () => void;
  readonly leave: (member: M) => void;
}

export interface AheadPorts<M> {
  readonly letIn: (member: M, offset: number) => void;
  readonly sendOn: (member: M) => void;
  readonly nowMs: () => number;
}

const MAX_WAIT_MS = 3000;

export function createAhead<M>({ letIn, sendOn, nowMs }: AheadPorts<M>): Ahead<M> {
  const waiting = new Map<M, { readonly offset: number; readonly untilMs: number }>();
  const enter = (member: M, offset: number): void => {
    waiting.delete(member);
    letIn(member, offset);
  };
  return {
    wait: (member, offset) => void waiting.set(member, { offset, untilMs: nowMs() + MAX_WAIT_MS }),
    reached(now) {
      for (const [member, { offset }] of waiting) if (offset <= now) enter(member, offset);
    },
    waiting: () => [...waiting.keys()],
    told(members, newest) {
      for (const member of members) {
        const { offset = 0 } = waiting.get(member) ?? {};
        if (offset > newest) enter(member, offset);
      }
    },
    expire() {
      for (const [member, { untilMs }] of waiting) {
        if (untilMs > nowMs()) continue;
        waiting.delete(member);
        sendOn(member);
      }
    },
    leave: (member) => void waiting.delete(member),
  };
}

/**
 * The connections of one room on one node, by viewer. A viewer's are linked through the members themselves: most have one, and a
 * set for each would be a tenth of what a viewer costs.
 */
export interface Linked<M> {
  readonly viewerId: string;
  /** Another connection of the same viewer. Kept here for `Members`. */
  next: M | undefined;
}

export interface Members<M extends Linked<M>> {
  /** Distinct viewers. */
  readonly viewers: number;
  readonly has: (viewerId: string) => boolean;
  add(member: M): void;
  /** Nothing happens when it is not here. @returns whether its viewer is gone with it */
  remove(member: M): boolean;
  /** May be removed while being gone through. */
  readonly of: (viewerId: string) => Iterable<M>;
  all(): Iterable<M>;
  ids(): string[];
  clear(): void;
}

export function createMembers<M extends Linked<M>>(): Members<M> {
  const firsts = new Map<string, M>();
  function* chain(first: M | undefined): Generator<M> {
    for (let member = first; member !== undefined;) {
      const { next } = member;
      yield member;
      member = next;
    }
  }
  return {
    get viewers() {
      return firsts.size;
    },
    has: (viewerId) => firsts.has(viewerId),
    add(member) {
      member.next = firsts.get(member.viewerId);
      firsts.set(member.viewerId, member);
    },
    remove(member) {
      const { viewerId, next } = member;
      const first = firsts.get(viewerId);
      member.next = undefined;
      if (first !== member) {
        for (const before of chain(first)) if (before.next === member) before.next = next;
        return false;
      }
      if (next === undefined) return firsts.delete(viewerId);
      firsts.set(viewerId, next);
      return false;
    },
    of: (viewerId) => chain(firsts.get(viewerId)),
    *all() {
      for (const first of firsts.values()) yield* chain(first);
    },
    ids: () => [...firsts.keys()],
    clear: () => firsts.clear(),
  };
}

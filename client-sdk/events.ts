/** Typed subscriptions. A listener that throws does not keep the others from hearing; its error is reported as uncaught. */
export interface Events<M> {
  readonly on: <E extends keyof M>(event: E, fn: (what: M[E]) => void) => () => void;
  emit<E extends keyof M>(event: E, what: M[E]): void;
}

export function createEvents<M>(): Events<M> {
  const listeners = new Map<keyof M, Set<(what: never) => void>>();
  return {
    on(event, fn) {
      const set = listeners.get(event) ?? new Set();
      listeners.set(event, set.add(fn));
      return () => void set.delete(fn);
    },
    emit(event, what) {
      for (const fn of listeners.get(event) ?? []) {
        try {
          fn(what as never);
        } catch (bug) {
          queueMicrotask(() => {
            throw bug;
          });
        }
      }
    },
  };
}

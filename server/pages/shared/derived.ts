/** A signal computed from other signals and from plain values of a component; made anew when those plain values change. */
import { computed, type ReadonlySignal } from "@preact/signals";
import { useMemo } from "preact/hooks";

export const useDerived = <T>(compute: () => T, plain: readonly unknown[]): ReadonlySignal<T> =>
  // The caller names the plain values, as with every hook.
  useMemo(() => computed(compute), plain);

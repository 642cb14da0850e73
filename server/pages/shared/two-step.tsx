/** A button for what cannot be undone: the first tap asks, the second does. The question goes away by itself. */
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

const ASKED_FOR_MS = 4000;

export function TwoStep(props: {
  words: string;
  question: string;
  onSure: () => void;
  class?: string;
  disabled?: boolean;
}): JSX.Element {
  const { words, question, onSure, disabled = false } = props;
  const isAsked = useSignal(false);
  useEffect(() => {
    if (!isAsked.value) return undefined;
    const timer = setTimeout(() => (isAsked.value = false), ASKED_FOR_MS);
    return () => clearTimeout(timer);
  }, [isAsked, isAsked.value]);
  return (
    <button
      type="button"
      class={`button ${props.class ?? ""} ${isAsked.value ? "sure" : ""}`}
      disabled={disabled}
      onClick={() => {
        if (isAsked.value) onSure();
        isAsked.value = !isAsked.value;
      }}
    >
      {isAsked.value ? question : words}
    </button>
  );
}

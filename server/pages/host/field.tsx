/** One labelled field; a refusal stands beneath it. */
import type { JSX } from "preact";

export function Field(props: {
  label: string;
  refusal: string | undefined;
  class?: string;
  children: JSX.Element;
}): JSX.Element {
  return (
    <label class={`field ${props.class ?? ""}`}>
      <span>{props.label}</span>
      {props.children}
      {props.refusal !== undefined && (
        <small class="field-refusal" role="alert">
          {props.refusal}
        </small>
      )}
    </label>
  );
}

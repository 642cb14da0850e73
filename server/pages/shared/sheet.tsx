/**
 * A sheet from the lower edge, as a modal <dialog>: focus stays inside, Escape, the close button, a tap beside it or a pull
 * downwards put it away. The page behind goes on living.
 */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./icons.tsx";
import { COMMON, speak } from "./words.ts";

const say = speak(COMMON);
const PULLED_AWAY_PX = 90;

export function Sheet(props: {
  isOpen: boolean;
  label: string;
  onClose: () => void;
  class?: string;
  children: ComponentChildren;
}): JSX.Element {
  const { isOpen, label, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const pulledFrom = useRef<number | undefined>(undefined);

  useEffect(() => {
    const element = dialog.current;
    if (element === null || element.open === isOpen) return;
    if (isOpen) element.showModal();
    else element.close();
  }, [isOpen]);

  const pull = (toY: number): void => {
    const distance = Math.max(0, toY - (pulledFrom.current ?? toY));
    dialog.current?.style.setProperty("--pulled", `${distance}px`);
  };
  const letGo = (event: PointerEvent): void => {
    const distance = event.clientY - (pulledFrom.current ?? event.clientY);
    pulledFrom.current = undefined;
    pull(0);
    if (distance > PULLED_AWAY_PX) onClose();
  };

  return (
    <dialog
      ref={dialog}
      class={`sheet ${props.class ?? ""}`}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClose={() => {
        // Browsers may close a dialog on their own (a second Escape): the page has to know.
        if (isOpen) onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div class="sheet-body" tabIndex={-1} autofocus>
        <div
          class="sheet-grip"
          onPointerDown={(event) => {
            pulledFrom.current = event.clientY;
            event.currentTarget.setPointerCapture(event.pointerId);
          }}
          onPointerMove={(event) => {
            if (pulledFrom.current !== undefined) pull(event.clientY);
          }}
          onPointerUp={letGo}
          onPointerCancel={letGo}
        />
        <button type="button" class="round sheet-close" aria-label={say("close")} onClick={onClose}>
          <Icon name="close" size={20} weight={2} />
        </button>
        {props.children}
      </div>
    </dialog>
  );
}

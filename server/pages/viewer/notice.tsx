/** One short line over the page that goes by itself: "link copied", with at most one thing to do. */
import type { JSX } from "preact";
import { signal } from "@preact/signals";

interface Notice {
  readonly words: string;
  readonly action?: { readonly words: string; readonly run: () => void };
}

const SHOWN_FOR_MS = 4000;
const current = signal<Notice | undefined>(undefined);
let timer: ReturnType<typeof setTimeout> | undefined;

export function notify(words: string, action?: Notice["action"]): void {
  clearTimeout(timer);
  current.value = action === undefined ? { words } : { words, action };
  timer = setTimeout(() => (current.value = undefined), SHOWN_FOR_MS);
}

export function NoticeLine(): JSX.Element {
  const notice = current.value;
  return (
    <div class="notice" role="status" aria-live="polite">
      {notice !== undefined && (
        <p>
          {notice.words}
          {notice.action !== undefined && (
            <button
              type="button"
              onClick={() => {
                notice.action?.run();
                current.value = undefined;
              }}
            >
              {notice.action.words}
            </button>
          )}
        </p>
      )}
    </div>
  );
}

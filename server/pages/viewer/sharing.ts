/** Passing the show on: the device's own share sheet where there is one, else the link on the clipboard. Counted once done. */
import type { Room } from "../shared/room.ts";
import { notify } from "./notice.tsx";
import { say } from "./words.ts";

export async function shareShow(room: Room): Promise<void> {
  const url = location.origin + location.pathname;
  const isPassed =
    typeof navigator.share === "function"
      ? await bySystem(room.title.value, url)
      : await byClipboard(url);
  if (isPassed) room.live.share();
}

async function bySystem(title: string, url: string): Promise<boolean> {
  try {
    await navigator.share({ title, url });
    return true;
  } catch (fault) {
    // The person closed the share sheet: nothing was shared, and there is nothing to say.
    if (fault instanceof DOMException && fault.name === "AbortError") return false;
    return byClipboard(url);
  }
}

async function byClipboard(url: string): Promise<boolean> {
  const isCopied = navigator.clipboard === undefined ? copyOnPlainHttp(url) : await copied(url);
  notify(say(isCopied ? "linkCopied" : "copyFailed"));
  return isCopied;
}

async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (fault) {
    // The browser may refuse (no permission, no focus); then the person is told to copy by hand.
    if (fault instanceof DOMException) return false;
    throw fault;
  }
}

/** Browsers offer the clipboard only on safe origins; this old way works on a LAN address too. */
function copyOnPlainHttp(text: string): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "unseen";
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  return isCopied;
}

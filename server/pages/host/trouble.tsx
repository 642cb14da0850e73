/** One line for what an action was refused for, where no field is to blame. Goes by itself. */
import type { JSX } from "preact";
import { signal } from "@preact/signals";
import { ApiRefusal, ServerAway } from "../shared/http.ts";
import { Icon } from "../shared/icons.tsx";
import { say } from "./words.ts";

const SHOWN_FOR_MS = 6000;
const line = signal<{ readonly words: string; readonly isGood: boolean } | undefined>(undefined);
let timer: ReturnType<typeof setTimeout> | undefined;

export function tell(words: string, isGood = false): void {
  clearTimeout(timer);
  line.value = { words, isGood };
  timer = setTimeout(() => (line.value = undefined), SHOWN_FOR_MS);
}

/** What a refused or unanswered call means, in words. @throws what is neither: a bug */
export function wordsOfFault(fault: unknown): string {
  if (fault instanceof ApiRefusal) return fault.words;
  if (fault instanceof ServerAway) return say("noServer");
  throw fault;
}

/** Beside its field, a refusal need not name it. */
export const wordsBeside = (fault: ApiRefusal): string =>
  fault.words.replace(new RegExp(`^/?(body[./])?${fault.field}[:：]\\s*`), "");

/** Runs an action; says so if it could not be done. @returns whether it was */
export async function attempt(action: Promise<unknown>): Promise<boolean> {
  try {
    await action;
    return true;
  } catch (fault) {
    tell(wordsOfFault(fault));
    return false;
  }
}

export function TroubleLine(): JSX.Element {
  const shown = line.value;
  return (
    <div class="trouble" role="alert">
      {shown !== undefined && (
        <p class={shown.isGood ? "good" : ""}>
          <Icon name={shown.isGood ? "check" : "clock"} size={18} weight={2} />
          {shown.words}
        </p>
      )}
    </div>
  );
}

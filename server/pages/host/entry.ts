/**
 * From the key to the console: the admin key is exchanged once for a host token of this show, and the token is what this tab
 * keeps. It goes with the tab.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import { connect, SdkFault } from "#sdk";
import { ApiRefusal, ask, realtimeUrl, ServerAway, showInAddress } from "../shared/http.ts";
import { takeKeyFromAddress } from "../shared/key-form.tsx";
import { createRoom, type Room } from "../shared/room.ts";
import { inLang } from "../shared/words.ts";
import { createActions, type Actions } from "./actions.ts";
import { say } from "./words.ts";

export type Entry =
  | { readonly step: "key"; readonly refusal: string; readonly isChecking: boolean }
  | { readonly step: "opening" }
  | { readonly step: "noShow"; readonly show: string }
  | { readonly step: "away" }
  | { readonly step: "in"; readonly room: Room; readonly actions: Actions };

const show = showInAddress();
const storedUnder = `dropcast.host.${show}`;
const AGAIN_AFTER_MS = 3000;
const current = signal<Entry>({ step: "opening" });
export const entry: ReadonlySignal<Entry> = current;

export async function start(): Promise<void> {
  const key = takeKeyFromAddress();
  if (key !== undefined) return useKey(key);
  const token = sessionStorage.getItem(storedUnder);
  if (token !== null) return open(token);
  current.value = { step: "key", refusal: "", isChecking: false };
}

export async function useKey(key: string): Promise<void> {
  current.value =
    current.value.step === "key" ? { ...current.value, isChecking: true } : { step: "opening" };
  try {
    const { token } = await ask<{ token: string }>(`/v1/shows/${encodeURIComponent(show)}/tokens`, {
      method: "POST",
      bearer: key,
      body: { role: "host", name: inLang("主播", "Host") },
    });
    sessionStorage.setItem(storedUnder, token);
    await open(token);
  } catch (fault) {
    if (fault instanceof ApiRefusal && fault.status === 404) {
      current.value = { step: "noShow", show };
    } else if (fault instanceof ApiRefusal) {
      current.value = { step: "key", refusal: fault.words, isChecking: false };
    } else if (fault instanceof ServerAway) {
      current.value = { step: "key", refusal: say("noServer"), isChecking: false };
    } else throw fault;
  }
}

async function open(token: string): Promise<void> {
  try {
    const live = await connect({ url: await realtimeUrl(), show, token });
    live.on("connectionChanged", ({ connection }) => {
      if (connection === "closed") forget();
    });
    current.value = {
      step: "in",
      room: createRoom(live, show),
      actions: createActions(show, token),
    };
  } catch (fault) {
    if (fault instanceof SdkFault && !fault.retryable) return forget();
    if (!(fault instanceof SdkFault || fault instanceof ServerAway)) throw fault;
    current.value = { step: "away" };
    setTimeout(() => void open(token), AGAIN_AFTER_MS);
  }
}

function forget(): void {
  sessionStorage.removeItem(storedUnder);
  current.value = { step: "key", refusal: say("lost"), isChecking: false };
}

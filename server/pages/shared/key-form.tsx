/** Asks for the admin key where the link did not carry one. The key stays in this tab and never in the address bar. */
import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { Icon } from "./icons.tsx";
import { LangButton } from "./lang-button.tsx";
import { COMMON, speak } from "./words.ts";

const say = speak({
  ...COMMON,
  keyHint: ["粘贴管理密钥", "Paste the admin key"],
  keyWhere: [
    "密钥在启动 Dropcast 时和链接一起显示，也保存在数据目录的 admin-key 文件里。",
    "Dropcast prints it with the links when it starts, and keeps it in the file admin-key of the data folder.",
  ],
  keyGo: ["进入", "Enter"],
  keyChecking: ["正在核对…", "Checking…"],
});

export function KeyForm(props: {
  title: string;
  /** Why the last key did not open; empty: none was tried. */
  refusal: string;
  isChecking: boolean;
  onKey: (key: string) => void;
}): JSX.Element {
  const { title, refusal, isChecking, onKey } = props;
  const key = useSignal("");
  return (
    <main class="key-page">
      <LangButton class="button bare key-lang" />
      <form
        class="key-card"
        onSubmit={(event) => {
          event.preventDefault();
          if (key.value.trim() !== "") onKey(key.value.trim());
        }}
      >
        <span class="key-icon">
          <Icon name="key" size={28} />
        </span>
        <h1>{title}</h1>
        <p class="soft">{say("keyWhere")}</p>
        <label class="field">
          <span>{say("keyHint")}</span>
          <input
            type="password"
            name="key"
            autocomplete="off"
            spellcheck={false}
            value={key.value}
            aria-invalid={refusal !== ""}
            onInput={(event) => (key.value = event.currentTarget.value)}
          />
          {refusal !== "" && (
            <small class="field-refusal" role="alert">
              {refusal}
            </small>
          )}
        </label>
        <button
          type="submit"
          class="button main wide tall"
          disabled={isChecking || key.value.trim() === ""}
        >
          {say(isChecking ? "keyChecking" : "keyGo")}
        </button>
      </form>
    </main>
  );
}

/** Takes `#key=…` out of the address, so that it is neither shared nor photographed. */
export function takeKeyFromAddress(): string | undefined {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (key === null) return undefined;
  history.replaceState(null, "", location.pathname + location.search);
  return key;
}

/**
 * Every sentence for people, in Chinese and English, from one table: this file holds the language and the words all pages
 * share, `words.ts` of each page its own rows. `{n}` is a blank; `{n:s}` is "s" unless n is 1.
 */
import { signal } from "@preact/signals";

export type Lang = "zh" | "en";
export type Table = Readonly<Record<string, readonly [zh: string, en: string]>>;
type Blanks<S extends string> = S extends `${string}{${infer Blank}}${infer Rest}`
  ? (Blank extends `${infer Name}:${string}` ? Name : Blank) | Blanks<Rest>
  : never;
type Filled<S extends string> = [Blanks<S>] extends [never]
  ? []
  : [values: Readonly<Record<Blanks<S>, string | number>>];
export type Say<T extends Table> = <W extends keyof T>(
  word: W,
  ...values: Filled<T[W][1]>
) => string;

const STORED_LANG = "dropcast.lang";

const firstLang = (): Lang => {
  const stored = localStorage.getItem(STORED_LANG);
  if (stored === "zh" || stored === "en") return stored;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
};

const lang = signal<Lang>(firstLang());

lang.subscribe((now) => {
  document.documentElement.lang = now === "zh" ? "zh-CN" : "en";
});

export function switchLang(): void {
  lang.value = lang.value === "zh" ? "en" : "zh";
  localStorage.setItem(STORED_LANG, lang.value);
}

/** BCP 47 tag for `Intl`. */
export const locale = (): string => (lang.value === "zh" ? "zh-CN" : "en");

/** A server's own sentence pair in the language of the page. */
export const inLang = (zh: string, en: string): string => (lang.value === "zh" ? zh : en);

const fill = (sentence: string, values: Readonly<Record<string, string | number>>): string =>
  sentence.replaceAll(/\{(\w+)(?::([^}]*))?\}/g, (_, name: string, plural: string | undefined) => {
    const value = values[name] ?? "";
    if (plural !== undefined) return Number(value) === 1 ? "" : plural;
    return typeof value === "number" ? new Intl.NumberFormat(locale()).format(value) : value;
  });

/** Reads the language signal: a component that speaks is drawn again when the language changes. */
export const speak =
  <const T extends Table>(table: T): Say<T> =>
  (word, ...values) => {
    const [zh, en] = table[word] as readonly [string, string];
    return fill(lang.value === "zh" ? zh : en, values[0] ?? {});
  };

export const COMMON = {
  otherLang: ["English", "中文"],
  otherLangShort: ["EN", "中"],
  close: ["关闭", "Close"],
  back: ["返回", "Back"],
  tryAgain: ["重试", "Try again"],
  onAir: ["直播中", "LIVE"],
  offAir: ["未开播", "OFF AIR"],
  ended: ["已结束", "ENDED"],
  scheduled: ["即将开播", "SOON"],
  host: ["主播", "Host"],
  moderator: ["房管", "Mod"],
  operator: ["运营", "Staff"],
  viewers: ["{n} 人在看", "{n} watching"],
  noServer: [
    "连不上服务器。请检查网络，我们会继续尝试。",
    "The server cannot be reached. Check your network; we keep trying.",
  ],
  reconnecting: ["网络断开，正在重新连接…", "Connection lost. Reconnecting…"],
  inSeconds: ["{n} 秒", "{n} s"],
} as const satisfies Table;

/** Money, counts and times as people read them, by `Intl` in the page's language. */
import { locale } from "./words.ts";

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

/** "¥99" or "¥99.50". */
export const money = (cents: number, currency: string): string =>
  moneyFormat(cents, currency).format(cents / 100);

/** The same in parts, so that symbol and decimals can be drawn smaller. */
export const moneyParts = (
  cents: number,
  currency: string,
): readonly { readonly big: boolean; readonly text: string }[] =>
  moneyFormat(cents, currency)
    .formatToParts(cents / 100)
    .map(({ type, value }) => ({ big: type === "integer" || type === "group", text: value }));

const moneyFormat = (cents: number, currency: string): Intl.NumberFormat =>
  new Intl.NumberFormat(locale(), {
    style: "currency",
    currency,
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: cents % 100 === 0 ? 0 : 2,
    maximumFractionDigits: cents % 100 === 0 ? 0 : 2,
  });

/** 12,408 */
export const count = (n: number): string => new Intl.NumberFormat(locale()).format(n);

/** 8.2K, 1.2万 */
export const shortCount = (n: number): string =>
  new Intl.NumberFormat(locale(), { notation: "compact", maximumFractionDigits: 1 }).format(n);

export const percent = (share: number, digits = 1): string =>
  new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: digits }).format(
    share,
  );

const twoDigits = (n: number): string => String(n).padStart(2, "0");

/** What is left of a countdown: 04:31, or 1:04:31; never shows 00:00 before it is over. */
export function clock(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(leftMs / SECOND_MS));
  const minutes = Math.floor(seconds / 60);
  const rest = twoDigits(seconds % 60);
  return minutes < 60
    ? `${twoDigits(minutes)}:${rest}`
    : `${Math.floor(minutes / 60)}:${twoDigits(minutes % 60)}:${rest}`;
}

/** A time already gone by: counts up from 00:00. */
export const elapsed = (ms: number): string =>
  clock(Math.floor(Math.max(0, ms) / SECOND_MS) * SECOND_MS);

/** A countdown within a day, else the date and time it runs to. */
export const clockOrDate = (atMs: number, nowMs: number): string =>
  atMs - nowMs < DAY_MS
    ? clock(atMs - nowMs)
    : new Intl.DateTimeFormat(locale(), {
        month: "short",
        day: "numeric",
        hour: "2-digit",
        minute: "2-digit",
      }).format(atMs);

export const timeOfDay = (atMs: number): string =>
  new Intl.DateTimeFormat(locale(), {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(atMs);

/** 31 ms, 1.2 s */
export const duration = (ms: number): string =>
  ms < SECOND_MS
    ? `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms`
    : `${Math.round(ms / 100) / 10} s`;

export const bytes = (n: number): string =>
  n < 1024 ** 3 ? `${Math.round(n / 1024 ** 2)} MiB` : `${(n / 1024 ** 3).toFixed(1)} GiB`;

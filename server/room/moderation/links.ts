/**
 * Recognises a link in a comment, also a bare domain and one that hides: "ｔａｏｂａｏ。ｃｏｍ", "taobao 点 com", "taobao dot com",
 * "tаobao . c o m" with a Cyrillic а. Numbers, prices, times and sentences without a blank after the stop ("so nice.me too") are none.
 * Not covered: links told in words ("search for … on …"), and top-level domains that are not in the lists. Pure; a text without any
 * kind of dot costs one pass, others a few µs.
 */
import { latinOf, plain } from "./letters.ts";

/** Also common as words: a link only where more speaks for it. */
const WORD_TLDS =
  "me|so|to|it|is|in|us|am|at|be|do|no|my|one|live|pro|now|here|fun|today|world|love|works";
const TLDS =
  "com|net|org|cn|io|cc|tv|co|info|biz|xyz|vip|top|shop|store|club|site|online|link|app|icu|win|bid|wang|ink|ltd|mobi|asia|name|" +
  "dev|ai|gg|ly|gl|ws|la|ru|de|fr|uk|jp|kr|hk|tw|sg|eu|ca|au|br|es|nl|pl|se|ch|tech|cloud|art|group|work|space|life|tel|edu|gov";
/** Where the dot is spelt out, only these make it one: "8点vip" is a time. */
const SURE_TLDS = "com|net|org|cn|xyz";
const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const END = "(?![a-z0-9-])";

const LINK = new RegExp(
  [
    // a scheme, or www.
    "(?:https?|ftp|tg|weixin|taobao)\\s?:\\s?/\\s?/",
    `(?:^|[^a-z0-9])www\\s{0,2}\\.\\s{0,2}[a-z0-9]`,
    // a domain; all digits before a top-level domain that is a word or a unit is more likely a number
    `(?:^|[^a-z0-9@])(?:${LABEL}\\.){1,4}(?:${TLDS})${END}`,
    `(?:^|[^a-z0-9])(?:${LABEL}\\.){1,4}(?:${WORD_TLDS})/[a-z0-9]`,
    `(?:^|[^a-z0-9])(?:${LABEL}\\.){2,4}(?:${WORD_TLDS})${END}`,
    // an address with a port or a path
    "(?:^|[^0-9.])(?:\\d{1,3}\\.){3}\\d{1,3}(?::\\d{2,5}|/[a-z0-9])",
    // an address of a mailbox
    `[a-z0-9._-]{1,40}\\s?@\\s?(?:${LABEL}\\.){1,3}[a-z]{2,10}`,
    // a dot in disguise, or with blanks around it
    `[a-z0-9-]\\s{0,3}(?:\\.|点|點|丶|\\bdot\\b|[([{<]\\s?(?:dot|点|點|\\.)\\s?[)\\]}>])\\s{0,3}(?:${spaced(SURE_TLDS)})${END}`,
  ].join("|"),
);
const MAYBE = /[.点點丶@:]|dot/;

/** "c o m" as well as "com". */
function spaced(words: string): string {
  return words
    .split("|")
    .map((word) => word.split("").join("\\s?"))
    .join("|");
}

export function hasLink(text: string): boolean {
  const skeleton = skeletonOf(text);
  if (!MAYBE.test(skeleton)) return false;
  return LINK.test(skeleton.replaceAll(/\b\d+(?:\.\d+)+(?=[a-z]{2})/g, "0"));
}

/** Plain letters and signs in their places, every kind of dot as ".". */
function skeletonOf(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text.toLowerCase();
  const bare = plain(text).replaceAll(/[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu, "");
  let skeleton = "";
  for (let i = 0; i < bare.length; i++)
    skeleton += String.fromCharCode(latinOf(bare.charCodeAt(i)));
  return skeleton.replaceAll(/[。．｡·•‧∙⋅・●]/g, ".");
}

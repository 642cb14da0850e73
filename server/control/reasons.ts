/**
 * Why a value was refused, in words for people: short, both languages, from zod's issue. A schema may bring its own words as
 * "English｜中文". Anything without words here keeps zod's.
 */
export interface Issue {
  readonly code?: string | undefined;
  readonly message: string;
  /** What zod adds per code: minimum, maximum, origin, expected, values … */
  readonly [detail: string]: unknown;
}

export interface Reason {
  readonly reason: string;
  readonly reasonZh: string;
}

export function reasonOf(issue: Issue): Reason {
  const [own = "", ownZh] = issue.message.split("｜");
  if (ownZh !== undefined) return { reason: own, reasonZh: ownZh };
  const [reason, reasonZh] = WORDS[issue.code ?? ""]?.(issue) ?? [issue.message, issue.message];
  return { reason, reasonZh };
}

type Pair = readonly [en: string, zh: string];

const WORDS: Readonly<Record<string, (issue: Issue) => Pair>> = {
  invalid_type: (issue) =>
    /received (undefined|null)$/.test(issue.message)
      ? ["is missing", "缺少此项"]
      : wrongKind(issue),
  too_small: ({ minimum, origin }) =>
    origin === "string" && minimum === 1
      ? ["must not be empty", "不能为空"]
      : bound(`at least ${String(minimum)}`, `至少为 ${String(minimum)}`, origin),
  too_big: ({ maximum, origin }) =>
    bound(`at most ${String(maximum)}`, `最多为 ${String(maximum)}`, origin),
  invalid_value: ({ values }) => {
    const all = (values as readonly unknown[]).join(", ");
    return [`must be one of ${all}`, `须为以下之一：${all}`];
  },
};

const KINDS: Readonly<Record<string, Pair>> = {
  string: ["must be text", "须为文本"],
  number: ["must be a number", "须为数字"],
  int: ["must be a whole number", "须为整数"],
  object: ["must be an object", "须为对象"],
  nan: ["must be a number", "须为数字"],
};

const wrongKind = ({ expected, message }: Issue): Pair =>
  KINDS[String(expected)] ?? [message, message];

const bound = (en: string, zh: string, origin: unknown): Pair => {
  if (origin === "string") return [`must have ${en} characters`, `字符数${zh}`];
  return [`must be ${en}`, `须${zh}`];
};

/** The one sentence of state, green, amber or red, with what to do about it. The other findings stand below it. */
import type { JSX } from "preact";
import { timeOfDay } from "../shared/figures.ts";
import { Icon } from "../shared/icons.tsx";
import { inLang } from "../shared/words.ts";
import type { Level, Ops, OpsFeed, Words } from "./ops.ts";
import { say } from "./words.ts";

const inWords = ({ zh, en }: Words): string => inLang(zh, en);

interface Said {
  readonly level: Level | "wait";
  readonly sentence: string;
  readonly remedy: string;
  readonly others: NonNullable<Ops["findings"]>;
}

function saidBy(ops: Ops | undefined, isAway: boolean): Said {
  if (isAway)
    return { level: "stop", sentence: say("noAnswer"), remedy: say("noAnswerRemedy"), others: [] };
  if (ops === undefined) return { level: "wait", sentence: say("loading"), remedy: "", others: [] };
  const { level, sentence, remedy, findings = [] } = ops;
  return {
    level,
    sentence: inWords(sentence),
    remedy: remedy === undefined ? "" : inWords(remedy),
    others: findings.filter((finding) => finding.sentence.en !== sentence.en),
  };
}

const LIGHTS = { ok: "check", warn: "bolt", stop: "bolt" } as const;

export function Verdict(props: { feed: OpsFeed }): JSX.Element {
  const ops = props.feed.now.value;
  const { level, sentence, remedy, others } = saidBy(ops, props.feed.link.value === "away");
  return (
    <section class={`verdict ${level}`} role="status" data-testid="verdict" data-level={level}>
      <span class="verdict-light" aria-hidden="true">
        {level === "wait" ? (
          <i class="spinner" />
        ) : (
          <Icon name={LIGHTS[level]} size={28} weight={2} />
        )}
      </span>
      <div>
        <p class="verdict-sentence">{sentence}</p>
        {remedy !== "" && (
          <p>
            <b>{say("remedy")}</b> {remedy}
          </p>
        )}
        {others.length > 0 && (
          <ul>
            {others.map((finding) => (
              <li key={finding.sentence.en} class={finding.level}>
                {inWords(finding.sentence)} <span class="soft">{inWords(finding.remedy)}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
      {ops !== undefined && <time class="soft">{say("asOf", { time: timeOfDay(ops.atMs) })}</time>}
    </section>
  );
}

/**
 * English words of two to four letters that are met everywhere: where a gap cuts a banned word into these, it is two words that
 * happen to meet ("give an us size", "that is hit"), not a hidden one.
 */
export const COMMON_WORDS: ReadonlySet<string> = new Set(
  (
    "ad ah am an and any are art as ask at ate bad bag be bed been best big bit box boy bus but buy by call came can cap car cash " +
    "come cup cut day deal did do does done down eat else end even ever eye fan far fast few fine fit for free from full fun gave get " +
    "gift girl give go goes gold good got had hat has have he help her here hey hi him his hit hot how if in ink into is it its job " +
    "just keep key kid kind last late less let lid like live long look lot love low made make man many map may me mean men met mine " +
    "more most much must my name near need new next nice no nor not now of off oh ok old on once one only open or our out over own " +
    "page part pay pen per pet pick pin plan play pot put ran read red rest ring run said sale same save saw say see sell send set she " +
    "show shy sit size so sold some son soon star stop such sun sure take talk tea tell ten than that the them then they this tie time " +
    "tin to too top toy try tub two under up us use van very via want war was way we well went were what when who why will win wish " +
    "with won work yes yet you your"
  ).split(" "),
);

/**
 * The machine or the settings do not let Dropcast start. Each problem is one line that says what is wrong and what
 * to do. Thrown only while starting; `main` prints the lines and exits with 1, without a stack.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly problems: readonly string[];
  constructor(...problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/** Why something is wrong, in words for people. */
export interface Reason {
  readonly en: string;
  readonly zh: string;
}

/** The first thing that is wrong, and where. */
export interface Bad extends Reason {
  /** File name and line number, where it is in a file. */
  readonly file?: string;
  readonly line?: number;
  /** The movement it concerns. */
  readonly no?: number;
}

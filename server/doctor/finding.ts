/** What one check found, and what to do about it. */
export interface Finding {
  readonly verdict: "fine" | "weak" | "broken";
  readonly what: string;
  readonly remedy?: string;
}

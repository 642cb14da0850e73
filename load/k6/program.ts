/** The k6 program. It is under the AGPL: run, never linked. */
import { execFileSync } from "node:child_process";
import { findProgram, type GoProgram } from "../go-program.ts";

/** TypeScript in imports, and `k6/websockets`. */
const LEAST_MAJOR = 1;

/** `k6 v1.8.1 (…)` or `k6.exe v…` → 1 */
const majorOf = (k6: string): number =>
  Number(/ v(\d+)\./.exec(execFileSync(k6, ["version"], { encoding: "utf8" }))?.[1] ?? 0);

const K6: GoProgram = {
  name: "k6",
  module: "go.k6.io/k6",
  version: "v1.8.1",
  leastGo: "1.25",
  site: "https://grafana.com/docs/k6",
  accepts: (file) => majorOf(file) >= LEAST_MAJOR,
};

/** @throws NoProgram */
export const findK6 = (say: (text: string) => void): Promise<string> => findProgram(K6, say);

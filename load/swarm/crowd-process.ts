/** A crowd in a child process: its methods called by message, one answer each. Ends with its parent. */
import { createCrowd, type Crowd, type CrowdOptions } from "./crowd.ts";

/** A call of one method of the crowd; the first is always `create`. */
export type CrowdCall =
  | { readonly id: number; readonly method: "create"; readonly args: readonly [CrowdOptions] }
  | {
      [M in keyof Crowd]: {
        readonly id: number;
        readonly method: M;
        readonly args: Parameters<Crowd[M]>;
      };
    }[keyof Crowd];

export interface CrowdAnswer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

let crowd: Crowd | undefined;

async function run(call: CrowdCall): Promise<unknown> {
  if (call.method === "create") {
    crowd = createCrowd(...call.args);
    return undefined;
  }
  if (crowd === undefined) throw new Error("no crowd yet");
  const method = crowd[call.method] as (...args: readonly unknown[]) => unknown;
  return method(...call.args);
}

const answer = (reply: CrowdAnswer): void => void process.send?.(reply);

process.on("message", (message) => {
  const call = message as CrowdCall;
  run(call).then(
    (value) => answer({ id: call.id, value }),
    (error: unknown) => answer({ id: call.id, error: String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));

/**
 * The name of a gateway that runs without a supervisor: by data folder and port, so that after a crash it is the same node again and
 * finds its own journal. Gateways that share folder and port (the system spreads viewers over them) take the first name that is free;
 * a name is held by a lock that ends with its process, however that ends.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Part } from "./lifecycle.ts";
import { Refusal } from "./refusal.ts";
import { lockFolder } from "./supervisor/folder-lock.ts";

export interface OwnName {
  readonly name: string;
  /** Stopped last: it frees the name. */
  readonly part: Part;
}

/** @returns `gateway-8081`, or `gateway-8081-2` … while others have those before it */
export async function takeName(dataDir: string, port: number): Promise<OwnName> {
  for (let n = 1; ; n++) {
    const name = `gateway-${port}${n === 1 ? "" : `-${n}`}`;
    const folder = join(dataDir, "alone", name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    try {
      const free = await lockFolder(folder);
      return { name, part: { name: "node name", stop: async () => free() } };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // Somebody alive has it.
    }
  }
}

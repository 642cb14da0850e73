/**
 * The two small secrets and names that a data folder keeps: the admin key (readable by its owner only) and the name
 * of this node. Made once, at the first start; never changed by us afterwards.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** ADMIN_KEY, else the one kept in the folder, else a new one. */
export const adminKeyOf = (set: string | undefined, dataDir: string): string =>
  set ?? kept(join(dataDir, "admin-key"), () => randomBytes(24).toString("base64url"));

/** The key kept by an earlier `npm start`; undefined when there is none. */
export function keptAdminKey(dataDir: string): string | undefined {
  const file = join(dataDir, "admin-key");
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}

/** NODE_ID, else the name kept in the folder: two machines must not share one. */
export const nodeIdOf = (set: string | undefined, dataDir: string): string =>
  set ?? kept(join(dataDir, "node-id"), () => randomBytes(4).toString("hex"));

function kept(file: string, make: () => string): string {
  if (!existsSync(file)) {
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, `${make()}\n`, { mode: 0o600 });
  }
  return readFileSync(file, "utf8").trim();
}

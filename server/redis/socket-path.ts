/**
 * Where the private Redis of a data folder listens. A unix socket's path may have 107 bytes; for a deeper folder the
 * socket lies in a folder of our own under the system's temporary one, found again by the folder's hash.
 */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { Refusal } from "../refusal.ts";

const maxSocketPathBytes = 107;

/** @param dir absolute */
export function socketPathFor(dir: string): string {
  const beside = join(dir, "redis.sock");
  if (Buffer.byteLength(beside) <= maxSocketPathBytes) return beside;
  const { uid } = userInfo();
  const folder = join(
    tmpdir(),
    `dropcast-${uid}-${createHash("sha256").update(dir).digest("hex").slice(0, 16)}`,
  );
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  // Another user could have made it first, to listen in.
  if (!found.isDirectory() || (uid >= 0 && (found.uid !== uid || (found.mode & 0o077) !== 0))) {
    throw new Refusal(
      `${folder} is not a private folder of this user: remove it, or set a shorter DATA_DIR`,
    );
  }
  return join(folder, "redis.sock");
}

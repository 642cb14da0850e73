/**
 * Compresses what the pages consist of, once, beside each file as `.br` and `.gz`: a quarter of the bytes on a phone's slow line, and no
 * work per request. Browsers take Brotli only over HTTPS and from localhost.
 */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const COMPRESSIBLE = /\.(?:js|css|svg|json|html)$/;
/** Smaller ones fit into one packet as they are. */
const LEAST_BYTES = 1200;
const WAYS = [
  [".br", promisify(brotliCompress), { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }],
  [".gz", promisify(gzip), { level: 9 }],
] as const;

/** All files of a folder, those of folders in it too. */
export async function compressAll(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && COMPRESSIBLE.test(entry.name));
  await Promise.all(files.map(({ parentPath, name }) => compress(join(parentPath, name))));
}

async function compress(file: string): Promise<void> {
  const bytes = await readFile(file);
  if (bytes.length < LEAST_BYTES) return;
  await Promise.all(
    WAYS.map(async ([end, squeeze, options]) =>
      writeFile(file + end, await squeeze(bytes, options)),
    ),
  );
}

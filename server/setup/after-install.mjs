/**
 * Runs after a person's own `npm install` or `npm ci`. It never fails and never takes long: it says what is left for
 * `npm start` and `npm test`, which complete the set-up themselves.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const projectDir = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const left = [
  ["node_modules/.bin/node", "Node 22"],
  ["node_modules/mediasoup/worker/out/Release/mediasoup-worker", "the media worker"],
].filter(([file]) => !existsSync(path.join(projectDir, file)));

if (left.length > 0) {
  console.log(
    `Dropcast: npm start (or npm test) will add ${left.map(([, name]) => name).join(" and ")}.`,
  );
}

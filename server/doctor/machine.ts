/** Node, the media worker, open files, disk space, and what only the tests need. */
import { existsSync, statfsSync } from "node:fs";
import { type Config, findProgram, projectDir } from "../config.ts";
import { Refusal } from "../refusal.ts";
import { checkMediaWorker } from "../supervisor/media-worker.ts";
import type { Finding } from "./finding.ts";

const oldestNodeMajor = 22;
const bytesPerGiB = 1024 ** 3;
const leastFreeBytes = 0.2 * bytesPerGiB;
const goodFreeBytes = 2 * bytesPerGiB;
/** One socket per viewer, and as many again to spare. */
const goodOpenFiles = 20_000;
const leastOpenFiles = 1024;

export const checkMachine = (config: Config): readonly Finding[] => [
  node(),
  worker(config),
  openFiles(),
  diskSpace(config.dataDir),
  chromium(),
];

function node(): Finding {
  const major = Number(process.versions.node.split(".")[0]);
  const what = `Node ${process.versions.node}`;
  return major >= oldestNodeMajor
    ? { verdict: "fine", what }
    : {
        verdict: "broken",
        what: `${what} is too old`,
        remedy: "start through npm (npm start, npm run doctor): it brings Node 22",
      };
}

function worker(config: Config): Finding {
  if (config.mediaWorkers === 0)
    return { verdict: "weak", what: "no video here (MEDIA_WORKERS=0)" };
  try {
    return {
      verdict: "fine",
      what: `the media worker runs (${checkMediaWorker(config.mediasoupWorkerBin)})`,
    };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { verdict: "broken", what: error.message };
  }
}

interface Report {
  readonly userLimits?: { readonly open_files?: { readonly soft: number | string } };
}

function openFiles(): Finding {
  const report = process.report.getReport() as Report;
  const soft = report.userLimits?.open_files?.soft ?? "unlimited";
  const limit = soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
  const what = `up to ${soft} open files per process`;
  const remedy =
    "raise it before starting: ulimit -n 100000 (or LimitNOFILE=100000 in the systemd unit)";
  if (limit >= goodOpenFiles) return { verdict: "fine", what };
  return {
    verdict: limit < leastOpenFiles ? "broken" : "weak",
    what: `${what}: about as many viewers`,
    remedy,
  };
}

function diskSpace(dataDir: string): Finding {
  // The folder itself need not be there yet.
  const { bavail, bsize } = statfsSync(existsSync(dataDir) ? dataDir : projectDir);
  const freeBytes = bavail * bsize;
  const what = `${(freeBytes / bytesPerGiB).toFixed(1)} GiB free for ${dataDir}`;
  if (freeBytes >= goodFreeBytes) return { verdict: "fine", what };
  return {
    verdict: freeBytes < leastFreeBytes ? "broken" : "weak",
    what,
    remedy: "make room, or set DATA_DIR to a larger disk",
  };
}

function chromium(): Finding {
  const program = findProgram(["chromium", "chromium-browser", "google-chrome"]);
  return program === undefined
    ? {
        verdict: "weak",
        what: "no Chromium: only npm test needs it",
        remedy: "sudo apt-get install chromium",
      }
    : { verdict: "fine", what: `Chromium for the tests (${program})` };
}

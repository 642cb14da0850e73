/** What a person sees when everything is ready: where to watch, to host and to operate. */
import { networkInterfaces } from "node:os";

export interface LinksOptions {
  readonly host: string;
  readonly port: number;
  readonly adminKey: string;
  readonly demo: boolean;
  readonly startedInMs: number;
}

export function linksText(options: LinksOptions): string {
  const { port, adminKey } = options;
  const base = `http://localhost:${port}`;
  const lan = lanAddress(options.host);
  const show = options.demo ? "demo" : "<show>";
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["观看 Viewer  ", `${base}/watch/${show}`],
    ["主播 Host    ", `${base}/host/${show}#key=${adminKey}`],
    ["运营 Operator", `${base}/ops#key=${adminKey}`],
    ...(lan === undefined
      ? []
      : [["手机 Phone   ", `http://${lan}:${port}/watch/${show}`] as const]),
  ];
  const seconds = (options.startedInMs / 1000).toFixed(1);
  const lines = rows.map(([label, link]) => `  ${label}  ${link}`);
  return `\nDropcast 已就绪 is ready (${seconds} s)\n\n${lines.join("\n")}\n\n  按 Ctrl-C 停止 · Ctrl-C stops it\n\n`;
}

/** An address other devices of the local network reach us at; none when we listen on one address only. */
function lanAddress(host: string): string | undefined {
  if (host !== "0.0.0.0" && host !== "::") return undefined;
  const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  return addresses.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
}

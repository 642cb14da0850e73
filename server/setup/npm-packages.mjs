/**
 * The npm packages of package-lock.json and the Node 22 among them. npm's own install scripts are not relied on:
 * npm 10 runs all of them, npm 12 none, and mediasoup's fails the whole install where its download is out of reach.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";

const run = (command, args, options) => spawnSync(command, args, { stdio: "inherit", ...options });

/** The Node that npm runs on. Ours may be the one in node_modules, which npm ci takes away under us. */
const outerNode = process.env.npm_node_execpath ?? process.execPath;

/** npm as it was called, else the one on PATH. */
const npm = (args, cwd) => {
  const cli = process.env.npm_execpath;
  return cli?.endsWith("npm-cli.js")
    ? run(outerNode, [cli, ...args], { cwd })
    : run("npm", args, { cwd });
};

/**
 * The versions of the lock and nothing written to it. Not `npm ci`: that fails where a registry lacks the optional
 * packages of other platforms, or where the lock was written on such a machine.
 */
const INSTALL = [
  "install",
  "--no-save",
  "--ignore-scripts",
  "--no-audit",
  "--no-fund",
  "--loglevel=error",
];

/** @returns the problem with its remedy, or undefined */
export function ensurePackages(projectDir, say) {
  if (missingPackages(projectDir).length === 0) return undefined;
  say("installing the npm packages (about a minute, once)");
  // npm believes its list of what is there; without one it looks.
  rmSync(path.join(projectDir, INSTALLED), { force: true });
  const { status } = npm(INSTALL, projectDir);
  if (status !== 0)
    return "npm install failed: see above; check the network and the registry, then run this again";
  return undefined;
}

/** npm's own list of what it has installed. */
const INSTALLED = "node_modules/.package-lock.json";

/**
 * Places of the lock whose package is not there in its version, whoever installed the others; optional ones are for other machines.
 * Looks at the folders too: a list outlives what it lists.
 */
export function missingPackages(projectDir) {
  const read = (file) => {
    const whole = path.join(projectDir, file);
    return existsSync(whole) ? JSON.parse(readFileSync(whole, "utf8")).packages : {};
  };
  const installed = read(INSTALLED);
  return Object.entries(read("package-lock.json"))
    .filter(
      ([place, { optional, devOptional, peer }]) => place && !optional && !devOptional && !peer,
    )
    .filter(
      ([place, { version }]) =>
        installed[place]?.version !== version ||
        !existsSync(path.join(projectDir, place, "package.json")),
    )
    .map(([place]) => place);
}

/** The `node` package's own install step: it puts this machine's Node into node_modules/.bin. */
export function ensureNode22(projectDir, say) {
  const node = path.join(projectDir, "node_modules/.bin/node");
  if (existsSync(node)) return undefined;
  say("fetching Node 22");
  const home = path.join(projectDir, "node_modules/node");
  const { status } = run(outerNode, ["installArchSpecificPackage.js"], {
    cwd: home,
    // Its npm must install into `home`, not into the project that npm's own variables name.
    env: withoutNpmVariables(process.env),
  });
  // npm links no program that is not there yet.
  if (status === 0 && !existsSync(node)) {
    rmSync(node, { force: true });
    symlinkSync("../node/bin/node", node);
  }
  const works =
    existsSync(node) && spawnSync(node, ["--version"], { stdio: "ignore" }).status === 0;
  return status === 0 && works
    ? undefined
    : "Node 22 could not be installed: see above; check the network and the registry, then run this again";
}

const withoutNpmVariables = (env) =>
  Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !/^npm_(package|lifecycle|config_local_prefix)/.test(name),
    ),
  );

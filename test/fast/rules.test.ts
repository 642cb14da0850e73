import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (file: string): string => readFileSync(file, "utf8");

test("[RULE1] imports go one way: protocol ← sdk ← pages, load; protocol ← server, media; nothing imports load or test", () => {
  const forbidden: readonly (readonly [files: string, imports: RegExp])[] = [
    ["client-sdk/protocol/*.ts", /from "(node:|\.\.\/)/],
    ["client-sdk/*.ts", /from "(node:|\.\.\/)/],
    ["client-sdk/media/*.ts", /from "(node:|\.\.\/\.\.\/)/],
    ["media/**/*.ts", /from "[^"]*\/(server|load|test)\//],
    ["server/{room,shop}/**/*.ts", /from "[^"]*\/(gateway|control|pages)\//],
    [
      "server/{gateway,control,room,shop,redis}/**/*.ts",
      /from "[^"]*\/media\/|from "[^"]*\/(main|supervisor)\.ts"/,
    ],
    [
      "server/pages/**/*.{ts,tsx}",
      /from "(node:|#wire\/server|[^"]*\/(server|media|load|test|room|shop|gateway|control)\/)/,
    ],
    ["{server,media,client-sdk}/**/*.{ts,tsx}", /from "[^"]*\/(load|test)\//],
  ];
  for (const [files, imports] of forbidden) {
    const found = globSync(files).filter((file) => !file.endsWith("vite.config.ts"));
    expect(found.length, files).toBeGreaterThan(0);
    for (const file of found) expect(imports.exec(read(file))?.[0], file).toBeUndefined();
  }
});

test("[RULE2] only server/config.ts reads the server's environment", () => {
  for (const file of globSync("{server,media}/**/*.ts"))
    if (!/server\/(config\.ts|setup\/|pages\/vite)/.test(file))
      expect(/^(?! \*).*process\.env\b/m.exec(read(file)), file).toBeNull();
});

const ids = (text: string, pattern: RegExp): string[] =>
  [...new Set([...text.matchAll(pattern)].map((m) => m[1] ?? ""))].sort();

test("[RULE3] every rule of a SPEC is the title of a test, and the other way round", () => {
  const specs = globSync("{server,media,client-sdk,load}/SPEC.md").map(read).join("\n");
  // Titles are the strings that begin with rules in brackets.
  const titles = globSync("test/**/*.test.ts")
    .flatMap((file) => read(file).match(/["'`](?:\[[A-Z]+\d+\])+/g) ?? [])
    .join("\n");
  expect(ids(titles, /\[([A-Z]+\d+)\]/g)).toEqual(ids(specs, /^- \*\*([A-Z]+\d+)\*\*/gm));
});

test("[RULE4] files stay small enough to be one concept", () => {
  for (const file of globSync("{server,media,client-sdk,load}/**/*.{ts,tsx,lua,css}"))
    expect(read(file).split("\n").length, file).toBeLessThanOrEqual(320);
});

test("[RULE5] every source file says first what it is", () => {
  for (const file of globSync("{server,media,client-sdk,load}/**/*.{ts,tsx}"))
    if (!file.endsWith(".d.ts")) expect(read(file).startsWith("/*"), file).toBe(true);
  for (const file of globSync("server/**/*.lua"))
    expect(read(file).startsWith("-- "), file).toBe(true);
});

/** Clients that break the rules of greeting, of tokens or of rates: each earns its exact close code or its answer, nobody else is hurt. */
import { expect } from "vitest";
import { CLOSES, LIMITS, RT_PATH } from "#wire";
import { RATES } from "../../server/gateway/rates.ts";
import { createTokens } from "../../server/tokens.ts";
import { until } from "../helpers/rooms.ts";
import { stageOf } from "./runtime.ts";

const scenario = stageOf();

scenario("[SCX9] a command before hello, and between hello and joined: notGreeted", async (s) => {
  const raw = await s.raw();
  raw.ask("beat", { offset: 0, tick: 0, clientAtMs: 0 });
  expect((await raw.closed).code).toBe(CLOSES.notGreeted.code);
  const hasty = await s.raw();
  hasty.ask("hello", {
    token: await s.token("ann"),
    show: s.show,
    client: "c",
    epoch: "",
    offset: 0,
  });
  hasty.ask("react", { seq: 1, likes: 1, shares: 0 });
  expect((await hasty.closed).code).toBe(CLOSES.notGreeted.code);
  expect((await s.booked())["likes"]).toBeUndefined();
});

scenario("[SCX10] a second hello, at once or later: greetedTwice", async (s) => {
  const hello = { token: await s.token("ann"), show: s.show, client: "c", epoch: "", offset: 0 };
  const [hasty, later] = [await s.raw(), await s.greeted("ann")];
  hasty.ask("hello", hello);
  hasty.ask("hello", hello);
  later.ask("hello", hello);
  for (const raw of [hasty, later]) expect((await raw.closed).code).toBe(CLOSES.greetedTwice.code);
});

scenario("[SCX11] a forged, damaged, foreign or expired token: badToken", async (s) => {
  const good = await s.token("ann");
  const [head = "", body = "", mark = ""] = good.split(".");
  const none = Buffer.from('{"alg":"none"}').toString("base64url");
  const identity = { show: s.show, viewerId: "ann", role: "host", name: "A" } as const;
  const tokens = [
    "a.b.c",
    "x",
    `${head}.${body}.${mark.slice(0, -4)}AAAA`,
    `${head}.${Buffer.from(JSON.stringify(identity)).toString("base64url")}.${mark}`,
    `${none}.${body}.`,
    await createTokens("somebody else's secret, 32 chars long").sign(identity),
    await s.world.tokens.sign(identity, -1000),
  ];
  await Promise.all(
    tokens.map(async (token) => {
      const raw = await s.raw();
      raw.ask("hello", { token, show: s.show, client: "c", epoch: "", offset: 0 });
      expect((await raw.closed).code, token).toBe(CLOSES.badToken.code);
    }),
  );
});

scenario(
  "[SCX12] a token of another show: wrongShow; of a show that is not there: noShow",
  async (s) => {
    const stray = { show: "nowhere", viewerId: "ann", role: "viewer", name: "A" } as const;
    const token = await s.world.tokens.sign(stray);
    for (const [show, word] of [
      [s.show, "wrongShow"],
      ["nowhere", "noShow"],
    ] as const) {
      const raw = await s.raw();
      raw.ask("hello", { token, show, client: "c", epoch: "", offset: 0 });
      expect((await raw.closed).code).toBe(CLOSES[word].code);
    }
  },
);

scenario(
  "[SCX13] a flood of lawful frames: tooFast, with the time to come back after",
  async (s) => {
    const raw = await s.greeted("ann");
    for (let i = 0; i < LIMITS.frameBurst + 60; i++)
      raw.ask("beat", { offset: 0, tick: 0, clientAtMs: 0 });
    const { code, reason } = await raw.closed;
    expect(code).toBe(CLOSES.tooFast.code);
    expect(Number(reason)).toBeGreaterThan(0);
    expect(raw.heard("beaten").length).toBeLessThanOrEqual(
      LIMITS.frameBurst + LIMITS.framesPerSecond,
    );
  },
);

scenario("[SCX14] a socket that says nothing: helloLate after five seconds", async (s) => {
  const startedMs = performance.now();
  const sockets = await Promise.all([s.raw(), s.raw(true), s.raw(false, s.two)]);
  const closes = await Promise.all(sockets.map(({ closed }) => closed));
  expect(closes.map(({ code }) => code)).toEqual(sockets.map(() => CLOSES.helloLate.code));
  expect(performance.now() - startedMs).toBeGreaterThan(LIMITS.helloWithinMs * 0.9);
});

scenario(
  "[SCX15] holds faster than the limit are answered so, and cost nobody anything",
  async (s) => {
    const dropId = await s.world.drop(s.show, 50, { perBuyerLimit: 99 });
    const raw = await s.greeted("bot");
    for (let i = 0; i < 40; i++)
      raw.ask("hold", { id: i + 1, key: `k${i}`, dropId, quantity: 1, attempt: 0 });
    await until(() => raw.heard("holdAnswered").length === 40);
    const answers = raw.heard("holdAnswered").map((a) => a.result);
    const held = answers.filter((a) => a === "held").length;
    // Of one token; a viewer with several devices has LIMITS.holdBurst.
    expect(held).toBeGreaterThanOrEqual(RATES.tokenHold[0]);
    expect(held).toBeLessThan(40);
    expect(held + answers.filter((a) => a === "tooFast").length).toBe(40);
    const ann = await s.viewer("ann");
    expect((await ann.live.hold(dropId)).result).toBe("held");
    await until(() => ann.live.state.drops.get(dropId)?.held === held + 1);
  },
);

scenario(
  "[SCX16] without a subprotocol of ours, or elsewhere, there is no connection",
  async (s) => {
    const http = s.one.url.replace("ws:", "http:");
    expect((await fetch(http + RT_PATH)).status).toBeGreaterThanOrEqual(400);
    expect((await fetch(`${http}/else`)).status).toBe(404);
    for (const protocols of [["chat"], []]) {
      const refused = new Promise((resolve, reject) => {
        const ws = new WebSocket(s.one.url + RT_PATH, protocols);
        ws.addEventListener("open", resolve);
        ws.addEventListener("error", () => reject(new Error("refused")));
      });
      await expect(refused).rejects.toThrow("refused");
    }
  },
);

scenario(
  "[SCX17] random bytes from many sockets end in lawful codes; the room's show goes on without a gap",
  async (s) => {
    const watcher = await s.viewer("watcher");
    const lawful = new Set<number>(Object.values(CLOSES).map(({ code }) => code));
    const attack = async (i: number): Promise<void> => {
      const raw = i % 2 === 0 ? await s.raw() : await s.greeted(`v${i}`);
      for (let n = 0; n < 20; n++) {
        const junk = Uint8Array.from({ length: 1 + s.chance.below(50) }, () => s.chance.below(256));
        if (n % 2 === 0)
          junk.set([0x90 | s.chance.below(7), s.chance.below(14)].slice(0, junk.length));
        raw.send(junk);
      }
      expect(lawful.has((await raw.closed).code)).toBe(true);
    };
    const attacks = Promise.all(Array.from({ length: 40 }, (_, i) => attack(i)));
    await s.happen(20);
    await attacks;
    await until(() => watcher.live.state.offset >= 21);
  },
);

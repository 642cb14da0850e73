/** What answers a tap. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createCommands } from "../../client-sdk/commands.ts";

test('[SDK22] a tap is answered once: by its order, by "sold out" of its epoch, or in so many words; sent again it is a hold', async () => {
  const words = "order place soldOut other later answer rejoin wait".split(" ");
  const step = fc.constantFrom(...words);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const sent: [name: string, body: object][] = [];
      const timers: (() => void)[] = [];
      const commands = createCommands({
        send: (name, body) => sent.push([name, { ...body }]),
        nowMs: () => 0,
        later: (fn) => void timers.push(fn),
      });
      const answers: string[] = [];
      const asked = { dropId: "d", quantity: 1, key: "k", restockEpoch: 2 };
      void commands.ask("tap", asked).then(
        ({ result }) => answers.push(result),
        () => undefined,
      );
      let isTap = true;
      let expected: string | undefined;
      let isHeld = false;
      const soldOut = (restockEpoch: number, answersTaps = true): void => {
        const event = { offset: 1, dropId: "d", atMs: 1, restockEpoch, answersTaps };
        commands.soldOut(event, (key) => isHeld && key === "k");
      };
      const acts: Readonly<Record<string, () => void>> = {
        order() {
          isHeld = true;
          commands.ordered({ holdId: "k", deadlineMs: 5, quantity: 1 } as never);
          if (isTap) expected ??= "held";
        },
        place() {
          isHeld = true;
          commands.ordered({ holdId: "k", deadlineMs: 0, quantity: 1 } as never);
        },
        soldOut() {
          soldOut(2);
          if (isTap && !isHeld) expected ??= "soldOut";
        },
        other() {
          soldOut(1);
          soldOut(2, false);
          commands.ordered({ holdId: "another" } as never);
        },
        answer() {
          commands.answered(1, { result: "limit" });
          expected ??= "limit";
        },
        rejoin() {
          commands.unride();
          commands.resend();
          isTap = false;
        },
        later() {
          for (const fn of timers.splice(0)) fn();
          isTap = false;
        },
      };
      for (const what of steps) {
        acts[what]?.();
        await Promise.resolve();
      }
      expect(answers).toEqual(expected === undefined ? [] : [expected]);
      expect(sent[0]?.[0]).toBe("tap");
      for (const [name, body] of sent.slice(1))
        expect([name, Object.keys(body).toSorted()]).toEqual([
          "hold",
          ["attempt", "dropId", "id", "key", "quantity"],
        ]);
      commands.abandon();
    }),
    { numRuns: 200 },
  );
});

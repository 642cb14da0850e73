import fc from "fast-check";
import { expect, test } from "vitest";
import { createOverdue } from "../../server/room/overdue.ts";

test("[ROOM12] who has not read what was there half a minute ago is told again, and nobody for what is younger than a quarter minute", () => {
  const step = fc.record({ afterMs: fc.nat(12_000), events: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const clock = { ms: 0, offset: 0 };
      /** When each event came. */
      const cameAtMs = [0];
      const isOverdue = createOverdue(
        () => clock.offset,
        () => clock.ms,
      );
      for (const { afterMs, events } of steps) {
        clock.ms += afterMs;
        for (let i = 0; i < events; i++) cameAtMs[++clock.offset] = clock.ms;
        for (let read = 0; read <= clock.offset; read++) {
          const missingForMs = read < clock.offset ? clock.ms - (cameAtMs[read + 1] as number) : 0;
          // Looks are made when somebody asks: here at every step, so up to one step late each.
          if (missingForMs > 2 * (15_000 + 12_000)) expect(isOverdue(read)).toBe(true);
          if (missingForMs < 15_000) expect(isOverdue(read)).toBe(false);
        }
      }
    }),
  );
});

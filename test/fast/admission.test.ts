import fc from "fast-check";
import { expect, test } from "vitest";
import { createAdmission } from "../../server/gateway/admission.ts";

const visit = fc.record({ resuming: fc.boolean(), afterMs: fc.nat(50) });

test("[ADM1] never more viewers than the process can hold, and a tenth of the places is for those who come back", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 10, max: 200 }),
      fc.array(visit, { maxLength: 400 }),
      (maxViewers, visits) => {
        let [nowMs, joined] = [0, 0];
        const admission = createAdmission({
          maxViewers,
          newcomersPerSecond: 1000,
          nowMs: () => nowMs,
          chance: () => 0.5,
        });
        for (const { resuming, afterMs } of visits) {
          nowMs += afterMs;
          const waitMs = admission.ask(resuming, joined);
          if (waitMs > 0) continue;
          if (!resuming) expect(joined).toBeLessThan(Math.floor(maxViewers * 0.9));
          joined++;
          expect(joined).toBeLessThanOrEqual(maxViewers);
        }
      },
    ),
  );
});

test("[ADM2] newcomers enter at their rate; a storm of them does not keep anybody from coming back", () => {
  let nowMs = 0;
  const admission = createAdmission({
    maxViewers: 1e6,
    newcomersPerSecond: 100,
    nowMs: () => nowMs,
    chance: () => 0,
  });
  let [entered, resumed] = [0, 0];
  for (let i = 0; i < 5000; i++) {
    nowMs += 1;
    if (admission.ask(false, entered) === 0) entered++;
    if (i % 5 === 0 && admission.ask(true, entered) === 0) resumed++;
  }
  expect(resumed).toBe(1000);
  expect(entered).toBeGreaterThanOrEqual(590);
  expect(entered).toBeLessThanOrEqual(610);
  expect(admission.refused).toEqual({ newcomers: 5000 - entered, resumes: 0 });
});

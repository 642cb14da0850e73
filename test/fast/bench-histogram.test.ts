/** The histogram that all latencies of load runs end in. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createHistogram } from "../../load/swarm/histogram.ts";

const samples = fc.array(fc.integer({ min: 0, max: 4_000_000_000 }), { minLength: 1 });

test("[HIST1] any quantile is within 1 % of the sample's own", () => {
  fc.assert(
    fc.property(samples, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
      const histogram = createHistogram();
      for (const value of values) histogram.record(value);
      const rank = Math.max(1, Math.ceil(share * values.length));
      const exact = values.toSorted((a, b) => a - b)[rank - 1] as number;
      expect(Math.abs((histogram.quantile(share) ?? -1) - exact)).toBeLessThanOrEqual(exact * 0.01);
    }),
  );
});

test("[HIST2] packed, sent elsewhere and added up, it is the histogram of all the samples", () => {
  fc.assert(
    fc.property(samples, samples, (here, there) => {
      const [all, one, other] = [createHistogram(), createHistogram(), createHistogram()];
      for (const value of [...here, ...there]) all.record(value);
      for (const value of here) one.record(value);
      for (const value of there) other.record(value);
      one.add(JSON.parse(JSON.stringify(other.pack())) as ReturnType<typeof other.pack>);
      expect([one.count, one.max, one.pack()]).toEqual([all.count, all.max, all.pack()]);
    }),
  );
});

test("[HIST3] nothing recorded has no quantile", () => {
  expect(createHistogram().quantile(0.5)).toBeUndefined();
});

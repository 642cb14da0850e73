import fc from "fast-check";
import { expect, test } from "vitest";
import {
  createTickets,
  isTicket,
  type Resume,
  TICKET_LIFE_MS,
} from "../../server/gateway/tickets.ts";

const resume: fc.Arbitrary<Resume> = fc.record({
  show: fc.string({ minLength: 1, maxLength: 40 }),
  viewerId: fc.string({ minLength: 1, maxLength: 40 }),
  role: fc.constantFrom("viewer", "moderator", "host", "operator"),
  name: fc.string({ unit: "grapheme", maxLength: 40 }),
  sinceMs: fc.nat(),
  epoch: fc.string({ minLength: 1, maxLength: 40 }),
  offset: fc.maxSafeNat(),
});

test("[TICKET1] a ticket says on every node with the secret what it was signed with, until its hour is over", () => {
  let nowMs = 1_795_374_428_182;
  const [one, two] = [createTickets("secret", () => nowMs), createTickets("secret", () => nowMs)];
  fc.assert(
    fc.property(resume, fc.nat(TICKET_LIFE_MS - 1), (of, afterMs) => {
      const signedMs = nowMs;
      const ticket = one.sign(of);
      expect(isTicket(ticket)).toBe(true);
      nowMs = signedMs + afterMs;
      expect(two.verify(ticket)).toEqual(of);
      nowMs = signedMs + TICKET_LIFE_MS;
      expect(two.verify(ticket)).toBeUndefined();
    }),
  );
});

test("[TICKET2] a ticket changed in any byte, cut short, or of another secret is refused, and so is any other text", () => {
  const ann = { show: "s", viewerId: "ann", role: "viewer", name: "安", sinceMs: 1 } as const;
  const of = { ...ann, epoch: "e", offset: 7 };
  const tickets = createTickets("secret", () => 0);
  const bytes = Buffer.from(tickets.sign(of).slice(3), "base64url");
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ bits;
      expect(tickets.verify(`r1.${changed.toString("base64url")}`)).toBeUndefined();
      expect(tickets.verify(`r1.${bytes.subarray(0, at).toString("base64url")}`)).toBeUndefined();
    }),
  );
  expect(createTickets("another", () => 0).verify(tickets.sign(of))).toBeUndefined();
  fc.assert(fc.property(fc.string(), (text) => tickets.verify(`r1.${text}`) === undefined));
});

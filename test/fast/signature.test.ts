import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isRefusedAddress, whyNotUrl } from "../../server/outbox/address.ts";
import { sign, verifyDropcastSignature } from "../../server/outbox/signature.ts";

const SECRET = "whsec_0123456789abcdef";
const BODY = '{"id":"demo.x","type":"order.paid"}';
const NOW_S = 1_700_000_000;

test("[SIG1] what is signed verifies, for text and bytes, within five minutes either way", () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.string({ minLength: 1 }),
      fc.integer({ min: -300, max: 300 }),
      (body, secret, agoS) => {
        const header = sign(body, secret, NOW_S);
        expect(verifyDropcastSignature(body, header, secret, NOW_S + agoS)).toBe(true);
        expect(verifyDropcastSignature(Buffer.from(body), header, secret, NOW_S + agoS)).toBe(true);
      },
    ),
  );
  const header = sign(BODY, SECRET, NOW_S);
  expect(verifyDropcastSignature(BODY, header, SECRET, NOW_S + 301)).toBe(false);
  expect(verifyDropcastSignature(BODY, header, SECRET, NOW_S - 301)).toBe(false);
  expect(verifyDropcastSignature(BODY, header, SECRET, Number.NaN)).toBe(false);
});

test('[SIG2] the scheme is the documented one: hex HMAC-SHA256 of "t.body"', () => {
  const due = createHmac("sha256", SECRET).update(`${NOW_S}.${BODY}`).digest("hex");
  expect(sign(BODY, SECRET, NOW_S + 0.9)).toBe(`t=${NOW_S},v1=${due}`);
});

test("[SIG3] any change of body, time, secret or signature is refused, and so is every malformed header", () => {
  const header = sign(BODY, SECRET, NOW_S);
  const verify = (h: string | undefined, body = BODY, secret = SECRET) =>
    verifyDropcastSignature(body, h, secret, NOW_S);
  expect(verify(header, `${BODY} `)).toBe(false);
  expect(verify(header, BODY, `${SECRET}x`)).toBe(false);
  expect(verify(header.replace(`t=${NOW_S}`, `t=${NOW_S + 1}`))).toBe(false);
  // The signed text is "t.body": a digit must not be able to move from one to the other.
  expect(
    verify(
      header.replace(`t=${NOW_S}`, `t=${String(NOW_S).slice(0, -1)}`),
      `${String(NOW_S).at(-1)}.${BODY}`,
    ),
  ).toBe(false);
  for (const bad of [
    undefined,
    "",
    "undefined",
    "t=,v1=",
    header.replace("v1", "v0"),
    `${header},t=${NOW_S}`,
    header.slice(0, -1),
    `${header}0`,
    `t=${NOW_S}`,
    header.replace("t=", "t=-"),
    "v1=".repeat(1000),
  ])
    expect(verify(bad), String(bad).slice(0, 40)).toBe(false);
  fc.assert(fc.property(fc.string(), (junk) => !verify(junk)));
  fc.assert(
    fc.property(fc.nat(63), fc.constantFrom(...Array.from("0123456789abcdef")), (at, digit) => {
      const [t = "", v1 = ""] = header.split(",v1=");
      const changed = `${v1.slice(0, at)}${digit}${v1.slice(at + 1)}`;
      return verify(`${t},v1=${changed}`) === (changed === v1);
    }),
  );
});

test("[SIG4] while a secret is changed, one right signature of several is enough, in any order", () => {
  const [t, right] = sign(BODY, SECRET, NOW_S).split(",");
  const [, wrong] = sign(BODY, "old secret", NOW_S).split(",");
  for (const header of [`${t},${wrong},${right}`, `${right},${wrong},${t}`, `${t}, v0=1, ${right}`])
    expect(verifyDropcastSignature(BODY, header, SECRET, NOW_S)).toBe(true);
  expect(verifyDropcastSignature(BODY, `${t},${wrong}`, SECRET, NOW_S)).toBe(false);
});

test("[SIG5] webhooks go to shops, also on this machine or a private network, never to metadata or link-local addresses", () => {
  for (const url of [
    "https://shop.example/hook",
    "http://127.0.0.1:3000/",
    "http://localhost/x",
    "http://10.0.0.5/",
    "http://[::1]:80/",
    "http://[fd12::1]/",
  ])
    expect(whyNotUrl(url, false), url).toBeUndefined();
  for (const url of [
    "http://169.254.169.254/latest",
    "http://0xa9fea9fe/",
    "http://2852039166/",
    "http://[::ffff:169.254.169.254]/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
    "http://100.100.100.200/",
    "http://0.0.0.0/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
  ]) {
    expect(whyNotUrl(url, false), url).toBeDefined();
    expect(whyNotUrl(url, true), url).toBeUndefined();
  }
  for (const url of [
    "",
    "shop",
    "ftp://shop/",
    "file:///etc/passwd",
    "http://a:b@shop/",
    "https://shop/#x",
  ])
    expect(whyNotUrl(url, true), url).toBeDefined();
  expect(isRefusedAddress("169.254.1.1")).toBe(true);
  expect(isRefusedAddress("93.184.216.34")).toBe(false);
});

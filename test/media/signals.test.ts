import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SIGNALS } from "../../client-sdk/protocol/up.ts";
import { mediaAskChannel } from "#wire";
import type { Media } from "../../media/index.ts";
import {
  openGateway,
  type RedisWorld,
  startRedis,
  startTestMedia,
  type TestGateway,
  type TestSession,
} from "./world.ts";

let redis: RedisWorld;
let media: Media & { rtcPort: number };
let gateway: TestGateway;
beforeAll(async () => {
  redis = await startRedis();
  media = await startTestMedia(redis, { demoShow: "demo" });
  gateway = await openGateway(redis, "m1");
});
afterAll(async () => {
  await media.stop();
  await redis.stop();
});

interface Offer {
  readonly rtpCapabilities: {
    readonly codecs: object[];
    readonly headerExtensions: { readonly uri: string }[];
  };
  readonly transport: {
    readonly id: string;
    readonly iceCandidates: {
      readonly address: string;
      readonly port: number;
      readonly protocol: string;
    }[];
  };
}
interface Consumers {
  readonly onAir: string;
  readonly consumers: { readonly id: string; readonly kind: string }[];
}
const DTLS = {
  role: "client",
  fingerprints: [{ algorithm: "sha-256", value: Array(32).fill("AB").join(":") }],
};
const watching = async (
  name: string,
): Promise<{ session: TestSession; offer: Offer; consumers: Consumers["consumers"] }> => {
  const session = gateway.session("demo", name);
  const offer = (await session.signal("watch", {})) as Offer;
  const { consumers } = (await session.signal("consume", {
    rtpCapabilities: offer.rtpCapabilities,
  })) as Consumers;
  return { session, offer, consumers };
};
/** RTP parameters a browser might send, for the ssrc. */
const vp8 = (ssrc: number): object => ({
  codecs: [
    { mimeType: "video/VP8", payloadType: 96, clockRate: 90_000, rtcpFeedback: [{ type: "nack" }] },
  ],
  encodings: [{ ssrc }],
  rtcp: { cname: "test" },
});
/** @returns its transport */
const goLive = async (host: TestSession, ssrc: number): Promise<string> => {
  const { transport } = (await host.signal("publish", {})) as Offer;
  await host.signal("produce", {
    transportId: transport.id,
    kind: "video",
    rtpParameters: vp8(ssrc),
  });
  return transport.id;
};

test("[MEDIA10] watch offers UDP and TCP on the worker's one port, and consume each producer once", async () => {
  const { session, offer, consumers } = await watching("v1/a");
  expect(new Set(offer.transport.iceCandidates.map(({ port }) => port))).toEqual(
    new Set([media.rtcPort]),
  );
  expect(new Set(offer.transport.iceCandidates.map(({ protocol }) => protocol))).toEqual(
    new Set(["udp", "tcp"]),
  );
  expect(offer.transport.iceCandidates.map(({ address }) => address)).toContain("127.0.0.1");
  expect(
    offer.rtpCapabilities.headerExtensions.filter(({ uri }) => uri.includes("abs-capture-time")),
  ).toEqual([]);
  expect(consumers.map(({ kind }) => kind).sort()).toEqual(["audio", "video"]);
  expect(await session.signal("consume", { rtpCapabilities: offer.rtpCapabilities })).toEqual({
    consumers: [],
    onAir: "demo",
  });
  expect(await session.signal("resume", { consumerIds: consumers.map(({ id }) => id) })).toEqual(
    {},
  );
  expect(await session.signal("leave", {})).toEqual({});
  await expect(
    session.signal("consume", { rtpCapabilities: offer.rtpCapabilities }),
  ).rejects.toMatchObject({ code: "notFound" });
});

test("[MEDIA10] a room with nobody on air answers an empty list", async () => {
  const session = gateway.session("empty", "v/a");
  const { rtpCapabilities } = (await session.signal("watch", {})) as Offer;
  expect(await session.signal("consume", { rtpCapabilities })).toEqual({
    consumers: [],
    onAir: "nobody",
  });
});

test("[MEDIA11] nobody reaches another session's transport or consumer; connecting one's own twice is one connect", async () => {
  const [mine, theirs] = [await watching("v2/a"), await watching("v3/a")];
  await expect(
    mine.session.signal("connect", {
      transportId: theirs.offer.transport.id,
      dtlsParameters: DTLS,
    }),
  ).rejects.toMatchObject({ code: "notFound" });
  await expect(
    mine.session.signal("resume", { consumerIds: theirs.consumers.map(({ id }) => id) }),
  ).rejects.toMatchObject({ code: "notFound" });
  await expect(
    mine.session.signal("layer", { consumerId: theirs.consumers[0]?.id, spatialLayer: 0 }),
  ).rejects.toMatchObject({ code: "notFound" });
  const host = gateway.session("demo", "h1/a", "host");
  const { transport } = (await host.signal("publish", {})) as Offer;
  const rival = gateway.session("demo", "h2/a", "host");
  await rival.signal("publish", {});
  await expect(
    rival.signal("produce", { transportId: transport.id, kind: "video", rtpParameters: vp8(11) }),
  ).rejects.toMatchObject({ code: "notFound" });
  expect(
    await mine.session.signal("connect", {
      transportId: mine.offer.transport.id,
      dtlsParameters: DTLS,
    }),
  ).toEqual({});
  expect(
    await mine.session.signal("connect", {
      transportId: mine.offer.transport.id,
      dtlsParameters: DTLS,
    }),
  ).toEqual({});
});

test("[MEDIA12] only the host publishes", async () => {
  for (const role of ["viewer", "moderator", "operator"] as const)
    for (const name of ["publish", "produce", "unpublish"] as const)
      await expect(
        gateway.session("demo", `${role}/a`, role).signal(name, {}),
      ).rejects.toMatchObject({ code: "notAllowed" });
});

test("[MEDIA13] the latest host to produce is on air; the one before is told, and the demo comes back after both", async () => {
  const news: unknown[] = [];
  const firstNews: unknown[] = [];
  const viewer = (await watching("v4/a")).session;
  viewer.onNotify((body) => news.push(body));
  const onAir = (): unknown[] => news.map((body) => (body as { onAir: string }).onAir);
  const [first, second] = ["h3/a", "h4/a"].map((name) => gateway.session("demo", name, "host")) as [
    TestSession,
    TestSession,
  ];
  first.onNotify((body) => firstNews.push(body));
  const firstTransport = await goLive(first, 21);
  await expect.poll(() => onAir().at(-1)).toBe("host");
  await goLive(second, 22);
  await expect
    .poll(() => firstNews)
    .toContainEqual({ event: "transportClosed", transportId: firstTransport, why: "takenOver" });
  await second.signal("unpublish", {});
  await expect.poll(() => onAir().at(-1)).toBe("nobody");
  await expect.poll(() => onAir().at(-1), { timeout: 6000 }).toBe("demo");
});

test("[MEDIA14] hostile bodies get a fault, whatever they are, and nobody else notices", async () => {
  const session = gateway.session("demo", "evil/a", "host");
  const offer = (await session.signal("watch", {})) as Offer;
  await session.signal("publish", {});
  const hostile = fc.oneof(
    fc.json(),
    fc.string({ maxLength: 200 }),
    fc.constantFrom("", "{", "[]", "null", "1", `{"__proto__":{"x":1}}`, "[".repeat(20_000)),
    fc
      .record({
        transportId: fc.constant(offer.transport.id),
        kind: fc.constantFrom("video", "audio", "x"),
        rtpParameters: fc.object(),
      })
      .map((body) => JSON.stringify(body)),
    fc
      .record({ rtpCapabilities: fc.record({ codecs: fc.array(fc.object(), { maxLength: 3 }) }) })
      .map((body) => JSON.stringify(body)),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...SIGNALS), hostile, async (name, body) => {
      const answer = await session
        .signal(name, body)
        .catch((error: { code: string }) => error.code);
      if (typeof answer === "string")
        expect(["badRequest", "notFound", "notAllowed"]).toContain(answer);
    }),
    { numRuns: 150 },
  );
  for (const raw of ["", "{}", "[]", "null", JSON.stringify({ from: "gw1", ref: -1 })])
    await gateway.raw.publish(mediaAskChannel("m1"), raw);
  expect((await watching("v5/a")).consumers).toHaveLength(2);
});

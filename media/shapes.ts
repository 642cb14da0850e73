/**
 * Shapes of the JSON bodies that clients send, checked before anything else looks at them. Bounds are what real browsers
 * send several times over; mediasoup's own checks of meaning come after these.
 */
import * as z from "zod";

const text = (max: number) => z.string().max(max);
const id = z.string().min(1).max(64);
const parameters = z.record(text(64), z.union([text(512), z.number()])).optional();
const kind = z.enum(["audio", "video"]);
const payloadType = z.int().min(0).max(127);
const ssrc = z.int().min(0).max(0xffff_ffff);
const rtcpFeedback = z
  .array(z.object({ type: text(32), parameter: text(32).optional() }))
  .max(16)
  .optional();
const codec = {
  mimeType: text(64),
  clockRate: z.int().min(1).max(1_000_000),
  channels: z.int().min(1).max(8).optional(),
  parameters,
  rtcpFeedback,
};
const direction = z.enum(["sendrecv", "sendonly", "recvonly", "inactive"]);

const rtpCapabilities = z.object({
  codecs: z.array(z.object({ ...codec, kind, preferredPayloadType: payloadType })).max(64),
  headerExtensions: z
    .array(
      z.object({
        kind,
        uri: text(256),
        preferredId: z.int().min(1).max(255),
        preferredEncrypt: z.boolean().optional(),
        direction: direction.optional(),
      }),
    )
    .max(64)
    .optional(),
});

const rtpParameters = z.object({
  mid: text(32).optional(),
  codecs: z
    .array(z.object({ ...codec, payloadType }))
    .min(1)
    .max(16),
  headerExtensions: z
    .array(
      z.object({
        uri: text(256),
        id: z.int().min(1).max(255),
        encrypt: z.boolean().optional(),
        parameters,
      }),
    )
    .max(32)
    .optional(),
  encodings: z
    .array(
      z.object({
        ssrc: ssrc.optional(),
        rid: text(32).optional(),
        codecPayloadType: payloadType.optional(),
        rtx: z.object({ ssrc }).optional(),
        dtx: z.boolean().optional(),
        scalabilityMode: text(16).optional(),
        maxBitrate: z.int().min(0).max(100_000_000).optional(),
      }),
    )
    .max(4)
    .optional(),
  rtcp: z.object({ cname: text(256).optional(), reducedSize: z.boolean().optional() }).optional(),
  msid: text(256).optional(),
});

const dtlsParameters = z.object({
  role: z.enum(["auto", "client", "server"]).optional(),
  fingerprints: z
    .array(
      z.object({
        algorithm: z.enum(["sha-1", "sha-224", "sha-256", "sha-384", "sha-512"]),
        value: z.string().regex(/^[0-9A-Fa-f:]{40,200}$/),
      }),
    )
    .min(1)
    .max(8),
});

export const none = z.object({});
export const connectBody = z.object({ transportId: id, dtlsParameters });
export const consumeBody = z.object({ rtpCapabilities });
export const resumeBody = z.object({ consumerIds: z.array(id).max(16) });
export const layerBody = z.object({ consumerId: id, spatialLayer: z.int().min(0).max(3) });
export const produceBody = z.object({
  transportId: id,
  kind,
  rtpParameters,
  source: text(32).optional(),
});

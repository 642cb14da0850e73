/** What rooms relay (VP8, H264, Opus), and what browsers are told of it. */
import type { types } from "mediasoup";

export const ROOM_CODECS: types.RouterRtpCodecCapability[] = [
  {
    kind: "audio",
    mimeType: "audio/opus",
    clockRate: 48_000,
    channels: 2,
    parameters: { useinbandfec: 1 },
  },
  {
    kind: "video",
    mimeType: "video/VP8",
    clockRate: 90_000,
    parameters: { "x-google-start-bitrate": 1000 },
  },
  {
    kind: "video",
    mimeType: "video/H264",
    clockRate: 90_000,
    parameters: {
      "packetization-mode": 1,
      "profile-level-id": "42e01f",
      "level-asymmetry-allowed": 1,
    },
  },
];

/** With this extension from Chromium's fake camera mediasoup never switched simulcast layers (measured). */
const ABS_CAPTURE_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time";

export const browserCapabilities = (router: types.Router): types.RtpCapabilities => ({
  ...router.rtpCapabilities,
  headerExtensions: (router.rtpCapabilities.headerExtensions ?? []).filter(
    ({ uri }) => uri !== ABS_CAPTURE_TIME,
  ),
});

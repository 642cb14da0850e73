/** How loud the microphone is, as a bar that moves with every drawn frame; empty without a stream. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../shared/icons.tsx";
import { say } from "./words.ts";

/** Speech lies between these. */
const QUIET_DB = -60;
const LOUD_DB = -6;

export function LevelMeter(props: { stream: MediaStream | undefined }): JSX.Element {
  const { stream } = props;
  const bar = useRef<HTMLElement>(null);
  useEffect(() => {
    if (stream === undefined || stream.getAudioTracks().length === 0) return undefined;
    return follow(stream, (share) =>
      bar.current?.style.setProperty("--part", `${Math.round(share * 100)}%`),
    );
  }, [stream]);
  return (
    <div
      class={`level ${stream === undefined ? "off" : ""}`}
      role="img"
      aria-label={say("level")}
      title={say("level")}
    >
      <Icon name="mic" size={18} />
      <span class="level-track">
        <i ref={bar} />
      </span>
    </div>
  );
}

function follow(stream: MediaStream, draw: (share: number) => void): () => void {
  const audio = new AudioContext();
  const meter = audio.createAnalyser();
  meter.fftSize = 1024;
  audio.createMediaStreamSource(stream).connect(meter);
  const samples = new Float32Array(meter.fftSize);
  let frame = 0;
  const look = (): void => {
    meter.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    const db = 10 * Math.log10(power + 1e-12);
    draw(Math.min(1, Math.max(0, (db - QUIET_DB) / (LOUD_DB - QUIET_DB))));
    frame = requestAnimationFrame(look);
  };
  look();
  return () => {
    cancelAnimationFrame(frame);
    draw(0);
    void audio.close();
  };
}

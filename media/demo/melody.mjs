/** The demo clip's sound, computed: a slow pentatonic tune on a plucked string over a soft pad. Ends where it begins. */
const RATE = 48_000;
const SECOND_HALVES = 24;
/** Half seconds from the start, and semitones above A3; the scale is A minor pentatonic. */
const TUNE = [
  [0, 12],
  [1, 15],
  [2, 19],
  [4, 17],
  [5, 15],
  [6, 12],
  [8, 10],
  [9, 12],
  [10, 15],
  [12, 19],
  [13, 22],
  [14, 24],
  [16, 22],
  [17, 19],
  [18, 17],
  [20, 15],
  [21, 12],
  [22, 10],
];
const PAD = [
  [0, [-12, 3, 7]],
  [6, [-16, 0, 8]],
  [12, [-12, 0, 7]],
  [18, [-14, -2, 5]],
];
const hertz = (semitones) => 220 * 2 ** (semitones / 12);

/** @returns a WAV file, 48 kHz stereo, peak about -15 dBFS */
export const melody = (seconds) => {
  const length = seconds * RATE;
  const left = new Float64Array(length);
  const right = new Float64Array(length);
  const halfLength = length / SECOND_HALVES;
  const add = (at, value, pan) => {
    const i = ((at % length) + length) % length;
    left[i] += value * (1 - pan);
    right[i] += value * pan;
  };
  for (const [half, tone] of TUNE) {
    const start = Math.round(half * halfLength);
    const f = hertz(tone);
    for (let n = 0; n < 2.6 * RATE; n++) {
      const t = n / RATE;
      const attack = Math.min(1, t / 0.006);
      let v = 0;
      for (let k = 1; k <= 5; k++)
        v +=
          (Math.exp(-t * (1.6 + 1.1 * k)) / k ** 1.7) *
          Math.sin(2 * Math.PI * f * k * 1.0006 ** k * t);
      add(start + n, 0.105 * attack * v * Math.min(1, (2.6 - t) * 4), 0.5 + 0.18 * Math.sin(half));
      // A faint echo from the other side.
      add(start + n + Math.round(0.33 * RATE), 0.025 * attack * v, 0.5 - 0.3 * Math.sin(half));
    }
  }
  for (const [half, chord] of PAD) {
    const start = Math.round((half - 0.6) * halfLength);
    const lasts = Math.round(7.2 * halfLength);
    for (const [voice, tone] of chord.entries())
      for (let n = 0; n < lasts; n++) {
        const t = n / RATE;
        const swell = Math.sin((Math.PI * n) / lasts) ** 2;
        add(
          start + n,
          0.016 *
            swell *
            (Math.sin(2 * Math.PI * hertz(tone) * t) +
              0.4 * Math.sin(2 * Math.PI * hertz(tone) * 2.003 * t)),
          0.3 + 0.2 * voice,
        );
      }
  }
  const wav = Buffer.alloc(44 + length * 4);
  wav.write("RIFF", 0);
  wav.writeUInt32LE(36 + length * 4, 4);
  wav.write("WAVEfmt ", 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(2, 22);
  wav.writeUInt32LE(RATE, 24);
  wav.writeUInt32LE(RATE * 4, 28);
  wav.writeUInt16LE(4, 32);
  wav.writeUInt16LE(16, 34);
  wav.write("data", 36);
  wav.writeUInt32LE(length * 4, 40);
  for (let i = 0; i < length; i++) {
    wav.writeInt16LE(Math.round(32767 * Math.tanh(left[i] * 1.1)), 44 + i * 4);
    wav.writeInt16LE(Math.round(32767 * Math.tanh(right[i] * 1.1)), 46 + i * 4);
  }
  return wav;
};

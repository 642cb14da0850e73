/**
 * The demo clip's scene, in the page that render.mjs opens: `still(passes)` adds path-traced samples, `frame(i)` draws
 * frame i of the loop. Deterministic: no clock, no chance but the shader's own seeds.
 */
const canvas = document.querySelector("canvas");
const gl = canvas.getContext("webgl2", { preserveDrawingBuffer: true, antialias: false });
gl.getExtension("EXT_color_buffer_float");
gl.getExtension("EXT_float_blend");
const wide = canvas.width;
const high = canvas.height;

const compile = (fragment) => {
  const program = gl.createProgram();
  const vertex =
    "#version 300 es\nvoid main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4. - 1., 0, 1); }";
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, vertex],
    [gl.FRAGMENT_SHADER, fragment],
  ]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS))
      throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS))
    throw new Error(gl.getProgramInfoLog(program));
  return { program, at: (name) => gl.getUniformLocation(program, name) };
};
const texture = (unit, filter, size, content) => {
  const made = gl.createTexture();
  gl.activeTexture(gl.TEXTURE0 + unit);
  gl.bindTexture(gl.TEXTURE_2D, made);
  for (const [key, value] of [
    [gl.TEXTURE_MIN_FILTER, filter],
    [gl.TEXTURE_MAG_FILTER, filter],
    [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE],
    [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE],
  ])
    gl.texParameteri(gl.TEXTURE_2D, key, value);
  if (size) gl.texStorage2D(gl.TEXTURE_2D, 1, ...size);
  if (content) gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, content);
  return made;
};
const drawn = (width, height, draw) => {
  const c = Object.assign(document.createElement("canvas"), { width, height });
  draw(c.getContext("2d"));
  return c;
};

/** The tea box's label: gold on dark red, 龙井 from top to bottom. */
const label = drawn(448, 920, (g) => {
  g.strokeStyle = g.fillStyle = "#f2cf86";
  g.lineWidth = 7;
  g.strokeRect(34, 34, 380, 852);
  g.lineWidth = 2;
  g.strokeRect(48, 48, 352, 824);
  g.textAlign = "center";
  g.textBaseline = "middle";
  g.font = '900 176px "Noto Serif CJK SC", serif';
  g.fillText("龙", 224, 170);
  g.fillText("井", 224, 350);
  g.font = '700 54px "Noto Serif CJK SC", serif';
  g.fillText("明 前 春 茶", 224, 500);
  g.font = "600 34px Georgia, serif";
  g.fillText("LONGJING", 224, 575);
});

const SEGMENTS = [
  "abcdef",
  "bc",
  "abdeg",
  "abcdg",
  "bcfg",
  "acdfg",
  "acdefg",
  "abc",
  "abcdefg",
  "abcdfg",
];
const BARS = {
  a: [8, 0, 44, 0],
  b: [52, 8, 52, 42],
  c: [52, 58, 52, 92],
  d: [8, 100, 44, 100],
  e: [0, 58, 0, 92],
  f: [0, 8, 0, 42],
  g: [8, 50, 44, 50],
};
/** mm:ss.t in seven segments, the unlit ones faintly there. */
const clockFace = (g, tenths) => {
  g.fillStyle = "#000";
  g.fillRect(0, 0, 564, 222);
  g.lineCap = "round";
  g.lineWidth = 12;
  g.shadowColor = "#ff8a1c";
  const text = `${String(Math.floor(tenths / 600)).padStart(2, "0")}:${String(Math.floor(tenths / 10) % 60).padStart(2, "0")}.${tenths % 10}`;
  let x = 38;
  for (const sign of text) {
    if (sign === ":" || sign === ".") {
      g.shadowBlur = 16;
      g.fillStyle = "#ffae42";
      for (const y of sign === ":" ? [88, 138] : [164]) g.fillRect(x - 8, y, 15, 15);
      x += 32;
      continue;
    }
    for (const [name, [x1, y1, x2, y2]] of Object.entries(BARS)) {
      const lit = SEGMENTS[Number(sign)].includes(name);
      g.shadowBlur = lit ? 16 : 0;
      g.strokeStyle = lit ? "#ffb04a" : "#040200";
      g.beginPath();
      g.moveTo(x + x1 * 1.1, 56 + y1 * 1.12);
      g.lineTo(x + x2 * 1.1, 56 + y2 * 1.12);
      g.stroke();
    }
    x += 92;
  }
};

const still = compile(document.querySelector("#still").textContent);
const film = compile(document.querySelector("#film").textContent);
texture(0, gl.LINEAR, null, label);
const layers = [1, 2].map((unit) => texture(unit, gl.NEAREST, [gl.RGBA32F, wide, high]));
const clockCanvas = drawn(564, 222, (g) => clockFace(g, 0));
texture(3, gl.LINEAR, null, clockCanvas);
const target = gl.createFramebuffer();
gl.bindFramebuffer(gl.FRAMEBUFFER, target);
layers.forEach((layer, i) =>
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0 + i, gl.TEXTURE_2D, layer, 0),
);
gl.drawBuffers([gl.COLOR_ATTACHMENT0, gl.COLOR_ATTACHMENT1]);
gl.clearColor(0, 0, 0, 0);
gl.clear(gl.COLOR_BUFFER_BIT);
let passes = 0;

/** Adds one sample per pixel, in bands so that no draw takes long. */
window.still = () => {
  gl.bindFramebuffer(gl.FRAMEBUFFER, target);
  gl.useProgram(still.program);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE);
  gl.enable(gl.SCISSOR_TEST);
  gl.uniform2f(still.at("uSize"), wide, high);
  gl.uniform1i(still.at("uPass"), passes);
  gl.uniform1i(still.at("uLabel"), 0);
  for (let y = 0; y < high; y += 120) {
    gl.scissor(0, y, wide, 120);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.readPixels(0, y, 1, 1, gl.RGBA, gl.FLOAT, new Float32Array(4));
  }
  gl.disable(gl.SCISSOR_TEST);
  gl.disable(gl.BLEND);
  return ++passes;
};

const readLayer = (i) => {
  const floats = new Float32Array(wide * high * 4);
  gl.bindFramebuffer(gl.FRAMEBUFFER, target);
  gl.readBuffer(gl.COLOR_ATTACHMENT0 + i);
  gl.readPixels(0, 0, wide, high, gl.RGBA, gl.FLOAT, floats);
  return floats.map((v) => v / passes);
};
/** Every pixel of the picture that lies within `reach` of (x, y), itself included. */
const around = function* (x, y, reach) {
  for (let j = Math.max(0, y - reach); j <= Math.min(high - 1, y + reach); j++)
    for (let i = Math.max(0, x - reach); i <= Math.min(wide - 1, x + reach); i++)
      yield [j * wide + i, (i - x) ** 2 + (j - y) ** 2];
};
const logLight = (rgba, p) =>
  Math.log(0.02 + rgba[p * 4] * 0.3 + rgba[p * 4 + 1] * 0.6 + rgba[p * 4 + 2] * 0.1);
/** Means out the path tracer's grain: every pixel becomes the average of those around it that look like it. */
const smoothed = (from, depths) => {
  const to = from.slice();
  // What a pixel looks like is judged on the 3x3 around it, which carries less grain than the pixel itself.
  const look = new Float32Array(wide * high);
  for (let p = 0; p < look.length; p++) {
    const near = [...around(p % wide, Math.floor(p / wide), 1)];
    look[p] = near.reduce((sum, [q]) => sum + logLight(from, q), 0) / near.length;
  }
  for (let p = 0; p < look.length; p++) {
    const sums = [0, 0, 0, 0];
    for (const [q, squared] of around(p % wide, Math.floor(p / wide), 3)) {
      const apart = (depths[q * 4 + 3] - depths[p * 4 + 3]) / 0.25;
      const unlike = (look[q] - look[p]) / 0.1;
      const weight = Math.exp(-squared / 6 - apart * apart - unlike * unlike);
      for (let k = 0; k < 3; k++) sums[k] += weight * from[q * 4 + k];
      sums[3] += weight;
    }
    for (let k = 0; k < 3; k++) to[p * 4 + k] = sums[k] / sums[3];
  }
  return to;
};
/** Ends the path tracing. Half floats, which may be read between pixels: the camera drifts by fractions of one. */
window.smooth = () => {
  const both = [readLayer(0), readLayer(1)];
  for (const [i, layer] of both.entries()) {
    texture(1 + i, gl.LINEAR, [gl.RGBA16F, wide, high]);
    gl.texSubImage2D(
      gl.TEXTURE_2D,
      0,
      0,
      0,
      wide,
      high,
      gl.RGBA,
      gl.FLOAT,
      smoothed(layer, both[0]),
    );
  }
};

/** Where a point of the scene lies on the picture; the camera of still.glsl. */
const onPicture = ([x, y, z]) => {
  const eye = [0, 2.62, 9];
  const f = [0, 0.8 - eye[1], -eye[2]];
  const length = Math.hypot(...f);
  const [, fy, fz] = f.map((v) => v / length);
  const d = [x - eye[0], y - eye[1], z - eye[2]];
  const along = d[1] * fy + d[2] * fz;
  const up = d[1] * -fz + d[2] * fy;
  const scale = high / 2 / (along * 0.412);
  return [wide / 2 + d[0] * scale, high / 2 + up * scale];
};
/** From the clock's own coordinates to the scene's: the way back of clockSpot in still.glsl. */
const ofClock = (x, y, z) => {
  const [tilt, yaw] = [0.16, 0.12];
  const y1 = y * Math.cos(tilt) + z * Math.sin(tilt);
  const z1 = z * Math.cos(tilt) - y * Math.sin(tilt);
  return [
    -0.86 + x * Math.cos(yaw) + z1 * Math.sin(yaw),
    0.29 + y1,
    1.42 + z1 * Math.cos(yaw) - x * Math.sin(yaw),
  ];
};
const PLACES = { spout: [1.26, 1.42, 0.5], cup: [0.84, 0.46, 1.3], wick: [-1.15, 0.69, -0.95] };

window.frame = (index, frames, framesPerSecond) => {
  clockFace(clockCanvas.getContext("2d"), Math.floor((index * 10) / framesPerSecond));
  gl.activeTexture(gl.TEXTURE3);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, clockCanvas);
  gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  gl.useProgram(film.program);
  gl.uniform2f(film.at("uSize"), wide, high);
  gl.uniform1f(film.at("uPhase"), index / frames);
  for (const [name, unit] of [
    ["uDay", 1],
    ["uFlame", 2],
    ["uClock", 3],
  ])
    gl.uniform1i(film.at(name), unit);
  for (const [name, place] of [
    ["uSpout", PLACES.spout],
    ["uCup", PLACES.cup],
    ["uWick", PLACES.wick],
  ])
    gl.uniform2f(film.at(name), ...onPicture(place));
  const corner = onPicture(ofClock(-0.47, -0.185, 0.17));
  const right = onPicture(ofClock(0.47, -0.185, 0.17));
  const up = onPicture(ofClock(-0.47, 0.185, 0.17));
  gl.uniform2f(film.at("uFaceAt"), ...corner);
  gl.uniform2f(film.at("uFaceRight"), right[0] - corner[0], right[1] - corner[1]);
  gl.uniform2f(film.at("uFaceUp"), up[0] - corner[0], up[1] - corner[1]);
  gl.drawArrays(gl.TRIANGLES, 0, 3);
  gl.finish();
};

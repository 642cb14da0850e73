#version 300 es
// The demo clip's still picture: a path tracer over signed distances, one sample per pixel and pass. Two light layers
// leave it apart, so that frames can mix them: window + room (day, depth in alpha) and the candle (flame).
precision highp float;
precision highp int;
uniform int uPass;
uniform vec2 uSize;
uniform sampler2D uLabel;
layout(location = 0) out vec4 day;
layout(location = 1) out vec4 flame;

const float PI = 3.14159265;
const vec3 WINDOW_AT = vec3(-5.2, 4.9, 2.6);
const vec3 CANDLE_AT = vec3(-1.16, .86, -.95);
const vec3 POT_AT = vec3(-.04, .1, -.1);

uint seed;
float chance() {
  seed = seed * 747796405u + 2891336453u;
  uint w = ((seed >> ((seed >> 28u) + 4u)) ^ seed) * 277803737u;
  return float((w >> 22u) ^ w) / 4294967296.;
}
float hash(vec3 p) { p = fract(p * .3183099 + .1); p *= 17.; return fract(p.x * p.y * p.z * (p.x + p.y + p.z)); }
float noise(vec3 x) {
  vec3 i = floor(x), f = fract(x);
  f = f * f * (3. - 2. * f);
  return mix(mix(mix(hash(i), hash(i + vec3(1, 0, 0)), f.x), mix(hash(i + vec3(0, 1, 0)), hash(i + vec3(1, 1, 0)), f.x), f.y),
             mix(mix(hash(i + vec3(0, 0, 1)), hash(i + vec3(1, 0, 1)), f.x), mix(hash(i + vec3(0, 1, 1)), hash(i + vec3(1, 1, 1)), f.x), f.y), f.z);
}
float fbm(vec3 p) { return .5 * noise(p) + .25 * noise(p * 2.03) + .125 * noise(p * 4.1) + .0625 * noise(p * 8.3); }

float smin(float a, float b, float k) { float h = max(k - abs(a - b), 0.) / k; return min(a, b) - h * h * k * .25; }
float smax(float a, float b, float k) { return -smin(-a, -b, k); }
float box(vec3 p, vec3 b, float r) { vec3 q = abs(p) - b + r; return length(max(q, 0.)) + min(max(q.x, max(q.y, q.z)), 0.) - r; }
float disc(vec3 p, float r, float h, float e) { vec2 d = vec2(length(p.xz) - r + e, abs(p.y) - h + e); return min(max(d.x, d.y), 0.) + length(max(d, 0.)) - e; }
float egg(vec3 p, vec3 r) { float a = length(p / r), b = length(p / (r * r)); return a * (a - 1.) / b; }
float horn(vec3 p, vec3 a, vec3 b, float ra, float rb) {
  vec3 pa = p - a, ba = b - a;
  float h = clamp(dot(pa, ba) / dot(ba, ba), 0., 1.);
  return length(pa - ba * h) - mix(ra, rb, h);
}
vec2 turn(vec2 p, float a) { return mat2(cos(a), -sin(a), sin(a), cos(a)) * p; }

float pot(vec3 p) {
  p = (p - POT_AT) / .8;
  p.xz = turn(p.xz, .42);
  if (length(p - vec3(0, 1, 0)) > 2.3) return (length(p - vec3(0, 1, 0)) - 2.1) * .8;
  float r = length(p.xz);
  float body = egg(p - vec3(0, .84, 0), vec3(1.12, .8, 1.12));
  body = smin(body, disc(p - vec3(0, .08, 0), .66, .09, .03), .12);
  body = smin(body, length(vec2(r - .6, p.y - 1.5)) - .045, .05);
  body = smax(body, -(length(vec2(r - .545, p.y - 1.56)) - .022), .02);
  float lid = egg(p - vec3(0, 1.47, 0), vec3(.56, .24, .56));
  lid = smin(lid, disc(p - vec3(0, 1.72, 0), .085, .08, .02), .1);
  lid = smin(lid, egg(p - vec3(0, 1.88, 0), vec3(.165, .135, .165)), .06);
  float spout = smin(horn(p, vec3(.85, .62, 0), vec3(1.36, .92, 0), .27, .165), horn(p, vec3(1.34, .9, 0), vec3(1.7, 1.5, 0), .165, .1), .16);
  spout = smin(spout, horn(p, vec3(1.69, 1.48, 0), vec3(1.78, 1.58, 0), .1, .105), .06);
  spout = smax(spout, -horn(p, vec3(1.66, 1.45, 0), vec3(1.9, 1.8, 0), .06, .09), .03);
  vec2 q = vec2(length((p.xy - vec2(-1.16, .96)) * vec2(1., .92)) - .5, p.z * .8);
  float grip = length(q) - mix(.1, .075, smoothstep(-1., -1.7, p.x));
  grip = max(grip, p.x + .78);
  body = smin(body, spout, .14);
  body = smin(body, grip, .12);
  return min(body, lid) * .8 * .9;
}
vec3 boxSpot(vec3 p) { p -= vec3(.94, 0, -1.5); p.xz = turn(p.xz, .26); return p; }
vec3 clockSpot(vec3 p) { p -= vec3(-.86, .29, 1.42); p.xz = turn(p.xz, -.12); p.yz = turn(p.yz, -.16); return p; }
const vec3 CUP_AT = vec3(.84, .06, 1.3);
const vec3 BACK_CUP_AT = vec3(-.32, .0, -1.75);

vec2 nearer(vec2 a, vec2 b) { return a.x < b.x ? a : b; }
float cup(vec3 p) {
  if (length(p - vec3(0, .25, 0)) > .8) return length(p - vec3(0, .25, 0)) - .6;
  float r = length(p.xz);
  float flare = .2 + .15 * smoothstep(-.05, .5, p.y) + .03 * smoothstep(.35, .5, p.y);
  float side = abs(r - flare) - .014;
  float c = max(max(side, p.y - .46), -p.y) * .8;
  c = min(c, disc(p - vec3(0, .02, 0), .2, .035, .012));
  return smin(c, length(vec2(r - .38, p.y - .46)) - .016, .02);
}
vec2 map(vec3 p) {
  vec2 d = vec2(box(p - vec3(0, -.2, 2.), vec3(7., .2, 5.4), .03), 1.);
  d = nearer(d, vec2(pot(p), 2.));
  d = nearer(d, vec2(disc(p - vec3(POT_AT.x, .05, POT_AT.z), 1.12, .05, .02), 8.));
  vec3 b = boxSpot(p);
  d = nearer(d, vec2(box(b - vec3(0, 1.15, 0), vec3(.56, 1.15, .36), .02), 3.));
  d = nearer(d, vec2(disc(b - vec3(0, 2.36, 0), .3, .08, .03), 9.));
  vec3 c = clockSpot(p);
  float frame = box(c, vec3(.56, .27, .15), .07);
  float glass = box(c - vec3(0, 0, .14), vec3(.47, .185, .03), .02);
  d = nearer(d, vec2(frame, 4.));
  d = nearer(d, vec2(glass, 10.));
  vec3 u = p - CUP_AT;
  d = nearer(d, vec2(cup(u), 5.));
  d = nearer(d, vec2(max(length(u.xz) - .33, abs(u.y - .35) - .004), 6.));
  d = nearer(d, vec2(disc(u - vec3(0, -.03, 0), .47, .028, .02), 8.));
  if (length(p - vec3(.02, 0, 1.85)) < .75)
    for (int i = 0; i < 5; i++) {
      float f = float(i);
      vec3 l = p - vec3(.02 + .34 * cos(f * 2.4), .02 + .012 * f, 1.85 + .2 * sin(f * 2.4));
      l.xz = turn(l.xz, f * 1.9);
      l.y -= .5 * l.x * l.x;
      d = nearer(d, vec2(egg(l, vec3(.15, .011, .046)) * .6, 12.));
    }
  else d.x = min(d.x, max(length(p - vec3(.02, 0, 1.85)) - .6, .1));
  vec3 k = p - vec3(CANDLE_AT.x, 0, CANDLE_AT.z);
  d = nearer(d, vec2(smax(disc(k - vec3(0, .32, 0), .2, .32, .03), -(length(k - vec3(0, .78, 0)) - .2), .03), 7.));
  d = nearer(d, vec2(disc(k - vec3(0, .015, 0), .33, .02, .01), 9.));
  d = nearer(d, vec2(horn(k, vec3(0, .55, 0), vec3(.01, .7, 0), .012, .01), 11.));
  return d;
}
vec3 normal(vec3 p) {
  vec2 e = vec2(.0012, -.0012);
  return normalize(e.xyy * map(p + e.xyy).x + e.yyx * map(p + e.yyx).x + e.yxy * map(p + e.yxy).x + e.xxx * map(p + e.xxx).x);
}
float march(vec3 o, vec3 d, float far, int steps) {
  float t = .004;
  for (int i = 0; i < steps; i++) {
    float h = map(o + d * t).x;
    if (h < .0008 * t + .0004) return t;
    t += h;
    if (t > far) return -1.;
  }
  return t;
}

// What is behind everything: a dim room, far lights out of focus, and for mirrors the window itself.
vec3 room(vec3 d, bool mirror) {
  vec3 c = mix(vec3(.020, .013, .010), vec3(.062, .038, .026), smoothstep(-.3, .5, d.y));
  c += vec3(.30, .17, .075) * .55 * pow(max(0., dot(d, normalize(vec3(-.3, .06, -1.)))), 16.);
  if (d.z < 0.) {
    vec2 s = d.xy / -d.z;
    for (int i = 0; i < 30; i++) {
      float f = float(i);
      vec2 at = vec2(fract(f * .618 + .13) * .86 - .43, -.03 + .4 * pow(fract(f * .417 + .2), 1.35));
      float r = .013 + .021 * fract(f * .77 + .3);
      float e = length(s - at) / r;
      float lit = smoothstep(1.06, .9, e) * (.6 + .5 * smoothstep(.4, .95, e));
      vec3 tint = mix(vec3(1., .42, .12), vec3(1., .74, .36), fract(f * .29));
      if (i % 7 == 3) tint = vec3(.35, .72, .60);
      c += lit * tint * (.03 + .30 * pow(fract(f * .53 + .1), 2.2));
    }
  }
  if (mirror) {
    vec3 n = normalize(vec3(0, .9, 0) - WINDOW_AT);
    vec3 sx = normalize(cross(n, vec3(0, 1, 0))), sy = cross(sx, n);
    vec3 to = WINDOW_AT - vec3(0, .9, 0);
    float k = dot(d, n);
    if (k < 0.) {
      vec3 h = d * (dot(to, n) / k) - to;
      vec2 w = vec2(dot(h, sx), dot(h, sy));
      vec2 pane = min(abs(abs(w) - .0), vec2(9.));
      float inside = smoothstep(1.62, 1.55, abs(w.x)) * smoothstep(1.92, 1.85, abs(w.y));
      float bars = smoothstep(.05, .09, pane.x) * smoothstep(.05, .09, abs(abs(w.y) - .62));
      c += vec3(1., .96, .88) * 9. * inside * bars;
    }
  }
  return c;
}

void surface(float id, vec3 p, vec3 n, out vec3 base, out float gloss, out float rough) {
  base = vec3(.5); gloss = .04; rough = .3;
  if (id == 1.) {
    float plank = floor(p.x / 1.35 + .37);
    vec3 q = vec3(p.x * 5. + plank * 17., p.y * 5., p.z * .55 + plank * 9.);
    float g = fbm(q + 1.5 * fbm(q * .6));
    float fine = noise(vec3(p.x * 46. + g * 6., plank, p.z * 2.2));
    float rings = .5 + .5 * sin(38. * g + 4. * fine);
    base = mix(vec3(.13, .058, .026), vec3(.36, .185, .085), .25 + .55 * g + .3 * rings * g);
    base *= .85 + .2 * fine;
    float seam = abs(fract(p.x / 1.35 + .37) - .5);
    base *= mix(1., .25, smoothstep(.492, .4985, seam));
    gloss = .045; rough = .16 + .12 * fine;
  } else if (id == 2.) {
    float glaze = fbm(p * 3.2);
    base = mix(vec3(.20, .43, .36), vec3(.37, .60, .50), glaze * 1.1 + .12 * (p.y - .8));
    vec3 q = (p - POT_AT) / .8;
    // Glaze runs thin, and pale, over edges.
    base = mix(base, vec3(.66, .70, .58), .6 * smoothstep(.07, .0, abs(length(q.xz) - .6)) * smoothstep(.1, .0, abs(q.y - 1.52)));
    base = mix(base, vec3(.42, .25, .15), smoothstep(.1, .02, q.y));
    gloss = .06; rough = .035;
  } else if (id == 3.) {
    vec3 b = boxSpot(p);
    base = vec3(.30, .035, .03) * (.9 + .2 * noise(p * 60.));
    if (b.z > .34) {
      vec4 ink = texture(uLabel, vec2(b.x / 1.12 + .5, 1. - b.y / 2.3));
      base = mix(base, ink.rgb * ink.rgb, ink.a);
    }
    rough = .34;
  } else if (id == 4.) {
    base = mix(vec3(.16, .075, .035), vec3(.25, .125, .06), fbm(vec3(p.x * 3., p.y * 26., p.z * 8.))); rough = .22;
  } else if (id == 10.) {
    base = vec3(.006); gloss = .05; rough = .04;
  } else if (id == 5.) {
    vec3 u = p - CUP_AT;
    base = vec3(.80, .78, .72);
    float wave = .245 + .012 * sin(atan(u.z, u.x) * 9.);
    base = mix(base, vec3(.13, .24, .42), smoothstep(.012, .006, abs(u.y - wave)) + smoothstep(.012, .006, abs(u.y - .2)));
    gloss = .05; rough = .05;
  } else if (id == 6.) {
    base = vec3(.42, .15, .02); gloss = .06; rough = .02;
  } else if (id == 7.) {
    base = vec3(.82, .74, .60); rough = .4;
  } else if (id == 8.) {
    float a = atan(p.z - POT_AT.z, p.x - POT_AT.x);
    base = vec3(.10, .062, .035) * (.7 + .5 * noise(vec3(a * 30., length(p.xz) * 40., 1.))); rough = .4;
  } else if (id == 9.) {
    base = vec3(.62, .42, .17); gloss = .5; rough = .22;
  } else if (id == 12.) {
    base = mix(vec3(.05, .13, .03), vec3(.16, .26, .06), noise(p * 30.)); rough = .35;
  } else if (id == 11.) {
    base = vec3(.02);
  }
}
vec3 ball() {
  float z = 2. * chance() - 1., a = 2. * PI * chance();
  return vec3(sqrt(1. - z * z) * vec2(cos(a), sin(a)), z);
}

void main() {
  ivec2 px = ivec2(gl_FragCoord.xy);
  seed = uint(px.x) * 1973u + uint(px.y) * 9277u + uint(uPass) * 26699u + 1u;
  for (int i = 0; i < 3; i++) chance();
  vec2 uv = (gl_FragCoord.xy - .5 + vec2(chance(), chance()) - .5 * uSize) / uSize.y * 2.;
  vec3 eye = vec3(0, 2.62, 9.);
  vec3 f = normalize(vec3(0, .8, 0) - eye), r = normalize(cross(f, vec3(0, 1, 0))), u = cross(r, f);
  vec3 d = normalize(f + (uv.x * r + uv.y * u) * .412);
  // Thin lens, sharp at the pot's front.
  float focus = 8.55 / dot(d, f);
  float la = 2. * PI * chance(), lr = .075 * sqrt(chance());
  vec3 sharp = eye + d * focus;
  vec3 o = eye + (r * cos(la) + u * sin(la)) * lr;
  d = normalize(sharp - o);

  vec3 lit = vec3(0), warm = vec3(0), through = vec3(1);
  float depth = 20.;
  bool mirror = false;
  for (int bounce = 0; bounce < 4; bounce++) {
    float t = march(o, d, 22., bounce == 0 ? 110 : 64);
    if (t < 0.) { lit += through * (bounce > 1 ? min(room(d, mirror), vec3(1.4)) : room(d, mirror)); break; }
    if (bounce == 0) depth = t;
    vec3 p = o + d * t, n = normal(p), base;
    if (dot(n, d) > 0.) n = -n;
    float id = map(p).y, gloss, rough;
    surface(id, p, n, base, gloss, rough);
    float fresnel = gloss + (1. - gloss) * pow(1. - max(0., dot(n, -d)), 5.);
    o = p + n * .004;
    if (id == 7.) warm += through * vec3(1., .45, .12) * 1.1 * smoothstep(.1, .68, p.y);
    if (chance() < clamp(fresnel, .08, .9)) {
      through *= fresnel / clamp(fresnel, .08, .9) * (gloss > .3 ? base : vec3(1));
      vec3 m = reflect(d, n);
      d = normalize(m + rough * rough * 1.6 * ball());
      if (dot(d, n) < 0.) d = m;
      mirror = true;
      continue;
    }
    through *= (1. - fresnel) / (1. - clamp(fresnel, .08, .9)) * base;
    // Window, sampled.
    vec3 wn = normalize(vec3(0, .9, 0) - WINDOW_AT);
    vec3 sx = normalize(cross(wn, vec3(0, 1, 0))), sy = cross(sx, wn);
    vec3 at = WINDOW_AT + sx * (chance() * 3.2 - 1.6) + sy * (chance() * 3.8 - 1.9);
    vec3 l = at - o;
    float l2 = dot(l, l), ln = sqrt(l2);
    l /= ln;
    float c = dot(n, l), cw = dot(-l, wn);
    if (c > 0. && cw > 0. && march(o, l, ln - .1, 40) < 0.) lit += through * vec3(1., .93, .82) * 8.4 * c * cw / l2 * 12.2 / PI;
    // Candle.
    l = CANDLE_AT + .05 * ball() - o;
    l2 = dot(l, l); ln = sqrt(l2); l /= ln;
    c = dot(n, l);
    if (c > 0. && march(o, l, ln - .12, 36) < 0.) warm += through * vec3(1., .5, .17) * 1.5 * c / (l2 + .05);
    mirror = false;
    d = normalize(n + ball() * .999);
  }
  day = vec4(min(lit, 6.), depth);
  flame = vec4(min(warm, 3.), 1.);
}

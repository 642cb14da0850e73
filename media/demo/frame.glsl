#version 300 es
// One frame of the demo clip over the still: candle flicker, steam, dust, a drifting camera and the clock's digits.
// Everything but the digits is periodic in uPhase (0…1), so the last frame leads into the first.
precision highp float;
uniform vec2 uSize;
uniform float uPhase;
uniform sampler2D uDay, uFlame, uClock;
// Places on the picture, in pixels from the lower left: where the steam rises, the wick, the clock's face (corner, right, up).
uniform vec2 uSpout, uCup, uWick, uFaceAt, uFaceRight, uFaceUp;
out vec4 colour;

const float TAU = 6.2831853;
float hash(vec2 p) { p = fract(p * vec2(123.34, 456.21)); p += dot(p, p + 45.32); return fract(p.x * p.y); }
// Value noise that repeats after `every` cells upwards.
float noise(vec2 p, float every) {
  vec2 i = floor(p), f = fract(p);
  f = f * f * f * (f * (f * 6. - 15.) + 10.);
  vec2 a = vec2(i.x, mod(i.y, every)), b = vec2(i.x, mod(i.y + 1., every));
  return mix(mix(hash(a), hash(a + vec2(1, 0)), f.x), mix(hash(b), hash(b + vec2(1, 0)), f.x), f.y);
}
float fbm(vec2 p, float every) { return .55 * noise(p, every) + .29 * noise(p * 2., every * 2.) + .16 * noise(p * 4., every * 4.); }

// Wisps rising `tall` pixels from `at`; `cells` of noise pass by in one loop.
float steam(vec2 px, vec2 at, float tall, float cells, float salt) {
  vec2 p = (px - at) / tall;
  if (p.y < 0. || p.y > 1.1) return 0.;
  float rise = cells * uPhase;
  vec2 q = vec2(p.x * 3.2 + salt, p.y * 3. - rise);
  float bend = (fbm(q * vec2(.8, 1.), cells) - .5) * .62 * p.y + (.05 * sin(TAU * (uPhase + p.y)) - .1) * p.y;
  float x = p.x - bend - .06 * p.y;
  float wide = .012 + .15 * pow(p.y, .85);
  float body = exp(-x * x / (wide * wide));
  float n = fbm(vec2(x * 7. / (.35 + p.y) + salt * 3., p.y * 3. - rise) + vec2(fbm(q * 2., cells * 2.) * 1.4, 0.), cells);
  float wisp = pow(1. - abs(2. * n - 1.), 2.4);
  return body * (.25 + 1.1 * wisp) * smoothstep(0., .05, p.y) * pow(max(0., 1. - p.y / 1.1), 1.5);
}
vec3 film(vec3 c) { return clamp(c * (2.51 * c + .03) / (c * (2.43 * c + .59) + .14), 0., 1.); }

void main() {
  vec2 px = gl_FragCoord.xy;
  float depth = texture(uDay, px / uSize).a;
  vec2 sway = vec2(sin(TAU * uPhase), .45 * sin(TAU * 2. * uPhase + 1.)) * 3.2;
  vec2 from = px + sway * (9. / max(depth, 6.) - .55);
  // A little larger than the frame, so that the drift never shows an edge.
  vec2 uv = (from / uSize - .5) / 1.03 + .5;
  vec2 at = uv * uSize;

  float flicker = 1. + .11 * sin(TAU * 5. * uPhase) * sin(TAU * 2. * uPhase + .7) + .07 * sin(TAU * 11. * uPhase + 2.) + .04 * sin(TAU * 23. * uPhase);
  vec3 c = texture(uDay, uv).rgb + flicker * texture(uFlame, uv).rgb;

  // Candle flame and its halo.
  vec2 w = at - uWick;
  w.x -= .12 * w.y * sin(TAU * (4. * uPhase) + 1.) * smoothstep(0., 26., w.y);
  float high = 25. * (.92 + .14 * flicker - .1);
  float k = clamp(w.y / high, 0., 1.);
  float half_ = 6.2 * sqrt(k) * pow(1. - k, .75) * 1.7;
  float fire = smoothstep(1.15, .25, abs(w.x) / max(half_, .01)) * smoothstep(-1., 3., w.y) * step(w.y, high);
  c += fire * mix(vec3(3.6, 2.2, .9), vec3(3.2, 1.3, .3), k) * (.35 + .9 * smoothstep(.0, .35, k));
  float far = length(w - vec2(0., 12.));
  c += flicker * vec3(1., .5, .17) * (.34 * exp(-far / 16.) + .07 * exp(-far / 70.));

  // The clock's digits, and their light on the table below.
  vec2 face = at - uFaceAt;
  mat2 inverseFace = inverse(mat2(uFaceRight, uFaceUp));
  vec2 g = inverseFace * face;
  if (all(greaterThan(g, vec2(0.))) && all(lessThan(g, vec2(1.)))) c += texture(uClock, vec2(g.x, 1. - g.y)).rgb * vec3(1.25, .92, .7);
  vec2 below = (g - vec2(.5, -.55)) * vec2(1.15, .9);
  c += vec3(1., .55, .2) * .035 * exp(-dot(below, below) * 5.);

  // Steam, lit by the window.
  float mist = .62 * steam(at, uSpout, 330., 6., 3.1) + .5 * steam(at, uCup, 250., 5., 11.7) + .34 * steam(at, uCup + vec2(-9., 1.), 210., 4., 7.2);
  c = c * (1. - .22 * min(mist, 1.)) + vec3(.86, .84, .80) * mist * .36;

  // Dust in the light.
  for (int i = 0; i < 14; i++) {
    float f = float(i);
    vec2 home = vec2(fract(f * .618 + .2), fract(f * .381 + .45)) * uSize * vec2(1., .62) + vec2(0., uSize.y * .38);
    home += vec2(26. * sin(TAU * uPhase + f * 2.1), 34. * cos(TAU * uPhase + f * 1.3));
    float e = length(at - home) / (2.2 + 3.5 * fract(f * .73));
    c += vec3(1., .8, .5) * .07 * (.5 + .5 * sin(TAU * (uPhase + f * .37))) * smoothstep(1., .55, e);
  }

  vec2 v = px / uSize - vec2(.5, .53);
  c *= 1.06 - .62 * dot(v, v) * 1.5;
  c = film(c * 1.12);
  c = pow(c, vec3(1. / 2.2));
  c = mix(c, c * c * (3. - 2. * c), .18);
  colour = vec4(c + (hash(px + .5) - .5) / 255., 1.);
}

/** Likes that rise and fade, drawn outside the component tree: one short-lived element per heart, a bounded number at once. */
const MOST_AT_ONCE = 24;
const COLOURS = ["#ff6a3d", "#ff8fa3", "#ffd166", "#7fdcc0", "#ffffff"];
const RISE_MS = 1600;
const HEART =
  "M12 20.250S3.500 15.500 3.500 9.400A4.650 4.650 0 0 1 12 6.800a4.650 4.650 0 0 1 8.500 2.600c0 6.100-8.500 10.850-8.500 10.850Z";
const SVG = "http://www.w3.org/2000/svg";

const still = matchMedia("(prefers-reduced-motion: reduce)");
let flying = 0;

/** One heart from a point of the window. */
export function burst(x: number, y: number): void {
  if (still.matches || document.hidden || flying >= MOST_AT_ONCE) return;
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", HEART);
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "heart");
  svg.setAttribute("aria-hidden", "true");
  svg.style.left = `${x}px`;
  svg.style.top = `${y}px`;
  svg.style.color = COLOURS[Math.floor(Math.random() * COLOURS.length)] ?? "#fff";
  svg.append(path);
  document.body.append(svg);
  flying++;
  const sway = (Math.random() - 0.5) * 72;
  const size = 0.8 + Math.random() * 0.5;
  const flight = svg.animate(
    [
      { transform: `translate(-50%, -50%) scale(0.2)`, opacity: 0 },
      {
        transform: `translate(calc(-50% + ${sway * 0.2}px), -90px) scale(${size})`,
        opacity: 1,
        offset: 0.25,
      },
      {
        transform: `translate(calc(-50% + ${sway}px), -260px) scale(${size * 0.9}) rotate(${sway / 4}deg)`,
        opacity: 0,
      },
    ],
    { duration: RISE_MS + Math.random() * 500, easing: "cubic-bezier(0.2, 0.6, 0.4, 1)" },
  );
  flight.onfinish = () => {
    svg.remove();
    flying--;
  };
}

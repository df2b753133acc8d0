/** The contrast of a site's own accent colour; loaded only where a site sets one. */

/** WCAG's relative luminance of 8-bit red, green and blue. Source: WCAG 2.2, "relative luminance". */
function luminance([red, green, blue]) {
  const [r, g, b] = [red, green, blue].map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Contrast of two colours, 1 to 21. */
export function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** A CSS colour as 8-bit parts, or null if the browser does not know it. */
function parts(colour) {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  canvas.fillStyle = "#010203";
  canvas.fillStyle = colour;
  if (canvas.fillStyle === "#010203") return null;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
}

const judged = new Map();

/** Whether the site's accent can be read: 4.5:1 on our surface and under its own text. */
export function readableAccent(component) {
  const style = getComputedStyle(component.root);
  const accent = style.getPropertyValue("--bl-accent").trim();
  const onAccent = style.getPropertyValue("--bl-on-accent").trim() || style.getPropertyValue("--bl-own-on-accent").trim();
  const grounds = ["--bl-surface", "--bl-bg"].map((name) => style.getPropertyValue(name).trim());
  const key = [accent, onAccent, ...grounds].join("|");
  if (!judged.has(key)) {
    const [hue, ...others] = [accent, onAccent, ...grounds].map(parts);
    const readable = Boolean(hue) && others.every((other) => other && contrast(hue, other) >= 4.5);
    if (!readable) console.warn("backline-ask: --bl-accent is refused; it needs a contrast of 4.5:1 with the surface and with --bl-on-accent");
    judged.set(key, readable);
  }
  return judged.get(key);
}
